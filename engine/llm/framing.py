"""Where an HTTP response ends, decided as cheaply as can be while bytes are being timed.

Most reads of a chunked stream cannot be the last one and are told by their tail alone;
only a read that may end the message is given, with all before it, to a real parser.
"""

from __future__ import annotations

import httptools

# A chunked message ends with an empty line after its last chunk or trailers.
_END = b"\r\n\r\n"


class ResponseEnd:
    """Feed reads in order; `feed` is True once the message is complete.

    `keep_alive` tells, after completion, whether the connection may carry another one.
    Memory: reads that were not yet parsed are kept by reference only.
    """

    def __init__(self) -> None:
        self._parser = httptools.HttpResponseParser(self)
        self._waiting: list[bytes] = []
        self._headers_done = False
        self._chunked = False
        self._complete = False
        self._length = False
        self.broken = False
        self.keep_alive = False

    def feed(self, data: bytes) -> bool:
        """Take one read; returns True when the response is complete."""
        self._waiting.append(data)
        # A shorter read may hold the rest of an end that was cut.
        if self._headers_done and self._chunked and len(data) >= 4 and not data.endswith(_END):
            return False
        return self._parse()

    def feed_eof(self) -> bool:
        """The peer closed: True when that is a legal end (a body without length)."""
        self._parse()
        if self._complete:
            return True
        return self._headers_done and not self._chunked and not self._length and not self.broken

    def _parse(self) -> bool:
        waiting, self._waiting = self._waiting, []
        try:
            for data in waiting:
                self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade):
            self.broken = True
            return True
        return self._complete

    def on_header(self, name: bytes, value: bytes) -> None:
        name = name.lower()
        if name == b"transfer-encoding" and b"chunked" in value.lower():
            self._chunked = True
        elif name == b"content-length":
            self._length = True

    def on_headers_complete(self) -> None:
        # An interim answer (100, 103) is followed by the real one.
        if self._parser.get_status_code() >= 200:
            self._headers_done = True

    def on_message_complete(self) -> None:
        if self._parser.get_status_code() < 200:
            self._chunked = self._length = False
            return
        self._complete = True
        self.keep_alive = bool(self._parser.should_keep_alive())
