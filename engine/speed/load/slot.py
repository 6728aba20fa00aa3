"""One connection of the load generator: connect, handshake, then exchange after exchange,
driven by readiness events alone."""

from __future__ import annotations

import select
import socket
import ssl
import time
from typing import Any, Literal

from engine.llm.exchange import READ_BYTES, Capture, Exchange, enable_kernel_time
from engine.llm.tls import TlsPipe

State = Literal["connecting", "handshake", "idle", "busy", "closed"]

READ = select.EPOLLIN
BOTH = select.EPOLLIN | select.EPOLLOUT


class Slot:
    """A socket and what it is doing.

    The owner calls `event` for each readiness; `error` holds a sentence once the connection
    could not be made. `number` and `planned_ns` describe the exchange it carries; `kernel` says
    that the kernel notes when bytes come.
    """

    __slots__ = (
        "_began_ns",
        "_connected_ns",
        "_host",
        "_poll",
        "_tls",
        "connect_ms",
        "error",
        "exchange",
        "expires_ns",
        "fd",
        "kernel",
        "number",
        "planned_ns",
        "sock",
        "state",
        "tls_ms",
    )

    def __init__(self, poll: select.epoll, family: int, address: Any, host: str, tls: bool) -> None:
        self._poll, self._host = poll, host
        self._tls = TlsPipe(host) if tls else None
        self.sock = socket.socket(family, socket.SOCK_STREAM)
        self.sock.setblocking(False)
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.kernel = enable_kernel_time(self.sock)
        self.fd = self.sock.fileno()
        self.state: State = "connecting"
        self.error: str | None = None
        self.exchange: Exchange | None = None
        self.connect_ms: float | None = None
        self.tls_ms: float | None = None
        self.number, self.planned_ns, self.expires_ns = -1, 0, 0
        self._connected_ns = 0
        self._began_ns = time.monotonic_ns()
        self.sock.connect_ex(address)
        poll.register(self.fd, BOTH)

    def send(self, payload: bytes, number: int, planned_ns: int, timeout_ns: int) -> None:
        """Begin an exchange on an idle connection."""
        if self._tls is not None:
            payload = self._tls.encrypt(payload)
        exchange = Exchange(self.sock, self._tls, self.kernel)
        self.exchange, self.state = exchange, "busy"
        self.number, self.planned_ns = number, planned_ns
        exchange.start(payload)
        self.expires_ns = exchange.capture.sent_ns + timeout_ns
        if exchange.sending:
            self.expires_ns = time.monotonic_ns() + timeout_ns
            self._poll.modify(self.fd, BOTH)

    def event(self, mask: int) -> None:
        """Do what the socket is ready for."""
        exchange = self.exchange
        if exchange is not None:
            if mask & ~select.EPOLLOUT:
                exchange.readable()
            if mask & select.EPOLLOUT and exchange.sending:
                exchange.writable()
                if not exchange.sending:
                    self._poll.modify(self.fd, READ)
        elif self.state == "connecting":
            self._connected()
        elif self.state == "handshake":
            self._shake(self._received())
        elif self.state == "idle":
            self._rested(self._received())

    def _rested(self, data: bytes) -> None:
        """An idle peer that ends or says anything has closed it, but for TLS's own messages
        (session tickets, which come after the handshake)."""
        if self.state != "idle":
            return
        if data and self._tls is not None:
            said, closed = self._tls.decrypt(data)
            if not said and not closed:
                return
        self.close()

    def take(self) -> Capture:
        """The finished exchange's capture; the connection is idle or closed afterwards."""
        exchange, self.exchange = self.exchange, None
        if exchange is None:
            raise RuntimeError("no exchange to take")
        capture = exchange.capture
        capture.connect_ms, capture.tls_ms = self.connect_ms, self.tls_ms
        self.connect_ms = self.tls_ms = None
        if capture.ended == "complete" and exchange.end.keep_alive:
            self.state = "idle"
        else:
            self.close()
        return capture

    def close(self) -> None:
        """Close the socket; idempotent."""
        if self.state != "closed":
            self.state = "closed"
            self._poll.unregister(self.fd)
            self.sock.close()

    def _connected(self) -> None:
        code = self.sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if code:
            self._fail(OSError(code, "connect"))
            return
        self._connected_ns = time.monotonic_ns()
        self.connect_ms = (self._connected_ns - self._began_ns) / 1e6
        self._poll.modify(self.fd, READ)
        if self._tls is None:
            self.state = "idle"
        else:
            self.state = "handshake"
            self._shake(b"")

    def _received(self) -> bytes:
        try:
            return self.sock.recv(READ_BYTES)
        except BlockingIOError:
            return b""
        except OSError as error:
            self._fail(error)
            return b""

    def _shake(self, data: bytes) -> None:
        if self._tls is None or self.state != "handshake":
            return
        try:
            ready, reply = self._tls.shake(data)
            if reply:
                # A handshake's messages are far smaller than an empty send buffer.
                self.sock.send(reply)
        except (OSError, ssl.SSLError) as error:
            self._fail(error)
            return
        if ready:
            self.tls_ms = (time.monotonic_ns() - self._connected_ns) / 1e6
            self.state = "idle"

    def _fail(self, error: OSError) -> None:
        import os

        words = os.strerror(error.errno) if error.errno and error.errno > 0 else str(error)
        lead = "TLS with" if isinstance(error, ssl.SSLError) else "A connection to"
        self.error = f"{lead} {self._host} failed: {words}."
        self.close()
