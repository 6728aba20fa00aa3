"""HTTP/1.1 on one socket: requests in, bytes out, in order, and nothing about models.

Bytes are written by `socket.send` itself and not by a loop's transport, because a transport
may put a write off to the end of the loop's turn, and the truth log would then be early.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

import httptools

MAX_BODY_BYTES = 16 * 1024 * 1024
MAX_HEAD_BYTES = 64 * 1024
_READ_BYTES = 256 * 1024
_PIPELINE_DEPTH = 16
# Who asks on and on without reading is not answered beyond this.
_MOST_UNSENT_BYTES = 1024 * 1024
# How long a refused upload is read and thrown away, so that its sender sees the answer.
_DRAIN_S = 2.0


@dataclass(slots=True)
class Request:
    """One request. `target` is the path with its query; `received_ns` is when its last byte
    was read (CLOCK_MONOTONIC); `problem` is (status, sentence) when HTTP itself already
    refuses it."""

    method: str = ""
    path: str = ""
    target: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    received_ns: int = 0
    keep_alive: bool = True
    chunked_ok: bool = True
    problem: tuple[int, str] | None = None


class Application(Protocol):
    """What answers: it must end each request with `finish` or `cut`, now or later."""

    def answer(self, request: Request, connection: Connection) -> None: ...


class Connection:
    """One accepted socket. `on_lost` is called once if the client leaves in mid-answer."""

    def __init__(
        self, loop: asyncio.AbstractEventLoop, sock: socket.socket, application: Application
    ) -> None:
        self.on_lost: Callable[[], None] | None = None
        self.closed = False
        self._loop, self._sock, self._application = loop, sock, application
        sock.setblocking(False)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._fd = sock.fileno()
        self._parser = httptools.HttpRequestParser(self)
        self._waiting: deque[Request] = deque()
        self._current: Request | None = None
        self._unsent = bytearray()
        self._closing = self._draining = self._reading = False
        self._head_bytes = self._body_bytes = self._now_ns = 0
        self._body: list[bytes] = []
        self._resume_reading()

    # --- answers -----------------------------------------------------------------------

    def send(self, data: bytes) -> None:
        """Hand `data` to the kernel now, or as soon as it takes it."""
        if self.closed:
            return
        if not self._unsent:
            try:
                sent = self._sock.send(data)
            except BlockingIOError:
                sent = 0
            except OSError:
                self._lost()
                return
            if sent == len(data):
                return
            data = data[sent:]
            self._loop.add_writer(self._fd, self._writable)
        self._unsent += data

    def finish(self) -> None:
        """The present answer is complete: close if that was agreed, else serve the next."""
        request, self._current, self.on_lost = self._current, None, None
        if request is not None and request.problem is not None:
            self._drain()
        elif request is None or not request.keep_alive:
            self._close_when_sent()
        elif not self.closed:
            self._loop.call_soon(self._next)

    def cut(self) -> None:
        """End the connection in mid-answer, after the bytes sent so far."""
        self._current = self.on_lost = None
        self._close_when_sent()

    # --- bytes in and out --------------------------------------------------------------

    def _readable(self) -> None:
        try:
            data = self._sock.recv(_READ_BYTES)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        self._now_ns = time.monotonic_ns()
        if not data:
            self._lost()
        elif not self._draining:
            self._parse(data)

    def _parse(self, data: bytes) -> None:
        self._head_bytes += len(data)
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            # Declined by answering in HTTP/1.1; what follows on this connection is not read.
            self._waiting[-1].keep_alive = False
            self._draining = True
        except httptools.HttpParserError:
            self._refuse(400, "The request is not valid HTTP/1.1.")
        else:
            if self._head_bytes > MAX_HEAD_BYTES and not self._draining:
                self._refuse(431, f"The request's head is longer than {MAX_HEAD_BYTES:,} bytes.")
        # Not from inside the parser: it would report a fault of ours as bad HTTP.
        self._next()
        if len(self._waiting) > _PIPELINE_DEPTH and self._reading:
            self._loop.remove_reader(self._fd)
            self._reading = False

    def _resume_reading(self) -> None:
        if not self._reading and not self.closed:
            self._loop.add_reader(self._fd, self._readable)
            self._reading = True

    def _writable(self) -> None:
        try:
            sent = self._sock.send(self._unsent)
        except BlockingIOError:
            return
        except OSError:
            self._lost()
            return
        del self._unsent[:sent]
        if not self._unsent:
            self._loop.remove_writer(self._fd)
            if self._closing:
                self.close()
            self._next()

    # --- requests, as the parser finds them --------------------------------------------

    def on_message_begin(self) -> None:
        self._request = Request()
        self._url = b""
        self._body = []
        self._body_bytes = 0

    def on_url(self, part: bytes) -> None:
        self._url += part

    def on_header(self, name: bytes, value: bytes) -> None:
        self._request.headers[name.decode("latin-1").lower()] = value.decode("latin-1")

    def on_headers_complete(self) -> None:
        request, self._head_bytes = self._request, 0
        request.method = self._parser.get_method().decode("ascii")
        request.target = self._url.decode("latin-1")
        request.path = request.target.partition("?")[0]
        request.chunked_ok = self._parser.get_http_version() != "1.0"
        announced = request.headers.get("content-length", "0")
        if announced.isdecimal() and int(announced) > MAX_BODY_BYTES:
            self._too_large()
        elif request.headers.get("expect", "").lower() == "100-continue":
            self.send(b"HTTP/1.1 100 Continue\r\n\r\n")

    def on_body(self, part: bytes) -> None:
        self._head_bytes = 0
        self._body_bytes += len(part)
        if self._body_bytes > MAX_BODY_BYTES:
            self._too_large()
        elif not self._draining:
            self._body.append(part)

    def on_message_complete(self) -> None:
        if self._draining:
            return
        request, self._head_bytes = self._request, 0
        request.body, self._body = b"".join(self._body), []
        request.received_ns = self._now_ns
        request.keep_alive = self._parser.should_keep_alive()
        self._waiting.append(request)

    def _next(self) -> None:
        if self._current is not None or not self._waiting or self.closed or self._closing:
            return
        if len(self._unsent) > _MOST_UNSENT_BYTES:  # `_writable` comes back here
            return
        self._current = self._waiting.popleft()
        self._resume_reading()
        answered = False
        try:
            self._application.answer(self._current, self)
            answered = True
        finally:
            if not answered:
                self.close()

    def _too_large(self) -> None:
        self._refuse(413, f"The request's body is larger than {MAX_BODY_BYTES:,} bytes.")

    def _refuse(self, status: int, sentence: str) -> None:
        """Answer in turn, after what was asked before, and read nothing more."""
        if self._draining:
            return
        self._draining = True
        request = Request(received_ns=self._now_ns, keep_alive=False, problem=(status, sentence))
        self._waiting.append(request)

    # --- the end -----------------------------------------------------------------------

    def _drain(self) -> None:
        """Closing with unread bytes resets the connection and may destroy the answer."""
        if not self.closed and not self._unsent:
            with contextlib.suppress(OSError):
                self._sock.shutdown(socket.SHUT_WR)
        if not self.closed:
            self._loop.call_later(_DRAIN_S, self.close)

    def _close_when_sent(self) -> None:
        self._closing = True
        if not self._unsent:
            self.close()

    def _lost(self) -> None:
        on_lost, self.on_lost = self.on_lost, None
        self.close()
        if on_lost is not None:
            on_lost()

    def close(self) -> None:
        """Close now; what was not sent is dropped."""
        if self.closed:
            return
        self.closed = True
        self._waiting.clear()
        self._unsent.clear()
        self._loop.remove_reader(self._fd)
        self._loop.remove_writer(self._fd)
        self._sock.close()
