"""A captured response taken apart, off the timed path: status, headers, and body pieces
that keep the arrival time of the read they came in."""

from __future__ import annotations

import zlib
from dataclasses import dataclass, field
from typing import NamedTuple

import httptools

from engine.llm.exchange import MOST_BYTES, Capture


class Piece(NamedTuple):
    """Body bytes and the monotonic nanoseconds of the read that completed them."""

    at_ns: int
    data: bytes


@dataclass(slots=True)
class Response:
    """An HTTP response. `complete` is False when the peer ended it early; `garbled` is True
    when the bytes were not HTTP or did not decompress."""

    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    pieces: list[Piece] = field(default_factory=list)
    complete: bool = False
    garbled: bool = False

    @property
    def body(self) -> bytes:
        return b"".join(piece.data for piece in self.pieces)

    @property
    def content_type(self) -> str:
        return self.headers.get("content-type", "").lower()


def parse_response(capture: Capture) -> Response:
    """Parse the reads of a capture in order. Never raises; see `Response.garbled`."""
    reader = _Reader()
    parser = httptools.HttpResponseParser(reader)
    reader.parser = parser
    try:
        for at_ns, data in zip(capture.times, capture.chunks, strict=True):
            reader.at_ns = at_ns
            parser.feed_data(data)
    except (httptools.HttpParserError, httptools.HttpParserUpgrade, zlib.error):
        reader.response.garbled = True
    response = reader.response
    if capture.ended == "complete" and not response.garbled:
        response.complete = True
    return response


class _Reader:
    parser: httptools.HttpResponseParser

    def __init__(self) -> None:
        self.response = Response()
        self.at_ns = 0
        self._inflate: zlib._Decompress | None = None
        self._room = MOST_BYTES
        self._headers: dict[str, str] = {}

    def on_header(self, name: bytes, value: bytes) -> None:
        self._headers[name.decode("latin-1").lower()] = value.decode("latin-1")

    def on_headers_complete(self) -> None:
        headers, self._headers = self._headers, {}
        if self.parser.get_status_code() < 200:
            return
        self.response.status = self.parser.get_status_code()
        self.response.headers = headers
        coding = headers.get("content-encoding", "").strip().lower()
        if coding in ("gzip", "x-gzip", "deflate"):
            self._inflate = zlib.decompressobj(zlib.MAX_WBITS | 32)
        elif coding not in ("", "identity"):
            self.response.garbled = True

    def on_body(self, data: bytes) -> None:
        if self._inflate is not None:
            # A few bytes may stand for gigabytes.
            data = self._inflate.decompress(data, self._room + 1)
            self._room -= len(data)
            if self._room < 0:
                raise zlib.error("too much")
        if data:
            self.response.pieces.append(Piece(self.at_ns, data))
