"""The only room that talks to providers: prepare, wire, decode, errors."""
