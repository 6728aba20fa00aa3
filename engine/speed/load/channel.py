"""Messages over the pipes between a pool and its generator processes: length-prefixed pickles."""

from __future__ import annotations

import pickle
import struct
from typing import Any, BinaryIO

_LENGTH = struct.Struct(">I")


def read_message(stream: BinaryIO) -> Any:
    """One message, None at the end of the stream. Takes no byte beyond it from an unbuffered
    stream, so that whoever watches the pipe sees the next one."""
    head = _exactly(stream, _LENGTH.size)
    if head is None:
        return None
    data = _exactly(stream, _LENGTH.unpack(head)[0])
    return None if data is None else pickle.loads(data)  # noqa: S301 - own process


def write_message(stream: BinaryIO, message: Any) -> None:
    """The other end of `read_message`."""
    data = pickle.dumps(message, protocol=5)
    stream.write(_LENGTH.pack(len(data)) + data)
    stream.flush()


def _exactly(stream: BinaryIO, size: int) -> bytes | None:
    """`size` bytes, or None when the stream ended before."""
    pieces = []
    while size:
        piece = stream.read(size)
        if not piece:
            return None
        pieces.append(piece)
        size -= len(piece)
    return b"".join(pieces)
