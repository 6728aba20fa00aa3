"""One connection of the load generator: connect, handshake, then exchange after exchange,
driven by readiness events alone."""

from __future__ import annotations

import select
import socket
import time
from collections.abc import Sequence
from typing import Any, Literal

from engine.llm.errors import ProviderError
from engine.llm.exchange import READ_BYTES, Capture, Exchange, enable_kernel_time
from engine.llm.opening import STAGE_TIMEOUT_S, Opening, failed, late
from engine.llm.request import Endpoint

State = Literal["connecting", "handshake", "idle", "busy", "closed"]

READ = select.EPOLLIN
BOTH = select.EPOLLIN | select.EPOLLOUT
_STAGE_NS = int(STAGE_TIMEOUT_S * 1e9)


class Slot:
    """A socket and what it is doing.

    The owner calls `event` for each readiness and `expire` once `expires_ns` has passed;
    `error` says why the connection could not be made, and `others` are the addresses that are
    still to be tried. `number` and `planned_ns` describe the exchange it carries; `kernel` says
    that the kernel notes when bytes come.
    """

    __slots__ = (
        "_began_ns",
        "_endpoint",
        "_opening",
        "_poll",
        "connect_ms",
        "error",
        "exchange",
        "expires_ns",
        "fd",
        "kernel",
        "number",
        "others",
        "planned_ns",
        "sock",
        "state",
        "tls_ms",
    )

    def __init__(
        self,
        poll: select.epoll,
        addresses: Sequence[tuple[int, Any]],
        endpoint: Endpoint,
    ) -> None:
        (family, address), *self.others = addresses
        self._poll, self._endpoint = poll, endpoint
        self._opening = Opening(endpoint)
        self.sock = socket.socket(family, socket.SOCK_STREAM)
        self.sock.setblocking(False)
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.kernel = enable_kernel_time(self.sock)
        self.fd = self.sock.fileno()
        self.state: State = "connecting"
        self.error: ProviderError | None = None
        self.exchange: Exchange | None = None
        self.connect_ms: float | None = None
        self.tls_ms: float | None = None
        self.number, self.planned_ns = -1, 0
        self._began_ns = time.monotonic_ns()
        self.expires_ns = self._began_ns + _STAGE_NS
        self.sock.connect_ex(address)
        poll.register(self.fd, BOTH)

    def send(self, payload: bytes, number: int, planned_ns: int, timeout_ns: int) -> None:
        """Begin an exchange on an idle connection."""
        tls = self._opening.tls
        if tls is not None:
            payload = tls.encrypt(payload)
        exchange = Exchange(self.sock, tls, self.kernel)
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
        elif self.state in ("handshake", "idle"):
            self._said()

    def _said(self) -> None:
        """Something came, or the end, on a connection that carries no exchange."""
        try:
            data = self.sock.recv(READ_BYTES)
        except BlockingIOError:
            return
        except OSError as error:
            data = b""
            if self.state == "handshake":
                self._fail(failed(self._endpoint, error))
                return
        if self.state == "idle":
            self._rested(data)
        elif data:
            self._open(data)
        else:
            closed = ConnectionResetError("the connection was closed before it was open")
            self._fail(failed(self._endpoint, closed))

    def _rested(self, data: bytes) -> None:
        """An idle peer that ends or says anything has closed it, but for TLS's own messages
        (session tickets, which come after the handshake)."""
        if data and self._opening.tls is not None:
            said, closed = self._opening.tls.decrypt(data)
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

    def expire(self) -> None:
        """The time of what it is doing is over."""
        if self.exchange is not None:
            self.exchange.finish("timeout")
        elif self.state in ("connecting", "handshake"):
            stage = "connect" if self.state == "connecting" else self._opening.stage
            self._fail(late(self._endpoint, stage, STAGE_TIMEOUT_S))

    def _connected(self) -> None:
        code = self.sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if code:
            self._fail(failed(self._endpoint, OSError(code, "connect")))
            return
        self.others = []
        self.state = "handshake"
        self._poll.modify(self.fd, READ)
        self._open()

    def _open(self, data: bytes | None = None) -> None:
        """Tunnel and handshake: one step with what came, the first one without."""
        opening, before = self._opening, self._opening.stage
        try:
            reply = opening.begin() if data is None else opening.feed(data)
            if reply:
                # What is said here is far smaller than an empty send buffer.
                self.sock.send(reply)
        except ProviderError as error:
            self._fail(error)
            return
        except OSError as error:
            self._fail(failed(self._endpoint, error))
            return
        if opening.stage != before:
            self.expires_ns = time.monotonic_ns() + _STAGE_NS
        if opening.stage == "open":
            self.tls_ms = opening.tls_ms
            opened_ms = (time.monotonic_ns() - self._began_ns) / 1e6
            self.connect_ms = opened_ms - (self.tls_ms or 0.0)
            self.state = "idle"

    def _fail(self, error: ProviderError) -> None:
        self.error = error
        self.close()
