"""Server-sent events out of timed body pieces.

Works on bytes, so that an event or a character may be cut anywhere. Line ends may be LF,
CRLF or CR; a byte-order mark, comments and unknown fields are passed over.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from engine.llm.http import Piece

_LINE_END = re.compile(rb"\r\n|\n|\r")
_BOM = b"\xef\xbb\xbf"


class Event(NamedTuple):
    """One event: the time of the read that completed it, its name and its data."""

    at_ns: int
    name: str
    data: bytes


def events(pieces: Iterable[Piece]) -> Iterator[Event]:
    """The events of a body, in order. An unfinished last event is given too, with the time
    of the last read: some servers leave out the final empty line."""
    data: list[bytes] = []
    name, at_ns = "", 0
    for at_ns, lines in _lines(pieces):
        if len(lines) == 2 and not (data or lines[1]) and lines[0].startswith(b"data: "):
            # One whole event in a piece of its own: nearly every piece of nearly every stream.
            yield Event(at_ns, name, lines[0][6:])
            name = ""
            continue
        for line in lines:
            if line.startswith(b"data:"):
                data.append(line[6:] if line[5:6] == b" " else line[5:])
            elif not line:
                if data:
                    yield Event(at_ns, name, data[0] if len(data) == 1 else b"\n".join(data))
                    data = []
                name = ""
            elif line.startswith(b"event:"):
                name = line[6:].removeprefix(b" ").decode("utf-8", "replace")
            elif line == b"data":
                data.append(b"")
    if data:
        yield Event(at_ns, name, b"\n".join(data))


def lines(pieces: Iterable[Piece]) -> Iterator[Event]:
    """The lines of a body that is no event stream, but the empty ones, as events."""
    for at_ns, ended in _lines(pieces):
        for line in ended:
            if line.strip():
                yield Event(at_ns, "", line)


def _lines(pieces: Iterable[Piece]) -> Iterator[tuple[int, list[bytes]]]:
    """The lines each read ended, with its time.

    A CR at the end of a piece ends its line at once; when the next piece begins with LF,
    that LF belongs to it and ends nothing. Pieces of one long line are joined once, at its
    end, so that a line in many pieces costs linear time.
    """
    held: list[bytes] = []
    after_cr, begun, at_ns = False, False, 0
    for at_ns, piece in pieces:
        if begun and not held and not after_cr and piece.endswith(b"\n") and b"\r" not in piece:
            yield at_ns, piece.split(b"\n")[:-1]
            continue
        data = piece[1:] if after_cr and piece.startswith(b"\n") else piece
        if data:
            after_cr = data.endswith(b"\r")
        held.append(data)
        if begun and b"\n" not in data and b"\r" not in data:
            yield at_ns, []
            continue
        buffer = b"".join(held)
        if not begun:
            begun = len(buffer) >= len(_BOM)
            if not begun and _BOM.startswith(buffer):
                yield at_ns, []
                continue
            buffer, begun = buffer.removeprefix(_BOM), True
        # By far most streams have one kind of line end only.
        plain = buffer.replace(b"\r\n", b"\n")
        lines = _LINE_END.split(plain) if b"\r" in plain else plain.split(b"\n")
        rest = lines.pop()
        held = [rest] if rest else []
        yield at_ns, lines
    if rest := b"".join(held):
        yield at_ns, [rest]
