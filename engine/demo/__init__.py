"""The built-in demo provider: a real HTTP server whose pace, answers and faults are known.

Three kinds of module: `formats/` encodes one provider's wire format, the behaviour modules
(`answers`, `prose`, `skill`, `pace`, `timeline`) decide what is said and when, and the byte
movers (`connection`, `pacer`, `server`) know nothing of either.
"""
