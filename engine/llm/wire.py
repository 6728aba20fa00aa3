"""The timed middle step: an open connection, and one exchange after another on it.

TLS runs over memory buffers (`tls`), so that https takes the same path as http; how bytes
get their times is told in `exchange`.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
import time
from typing import Any

from engine.llm.errors import ProviderError
from engine.llm.exchange import Capture, Ended, Exchange, enable_kernel_time
from engine.llm.request import Endpoint
from engine.llm.tls import TlsPipe
from engine.net import BlockedAddress, UnknownHost, connect_addresses

CONNECT_TIMEOUT_S = 15.0


class Connection:
    """One open HTTP/1.1 connection; one exchange at a time.

    Open it with `await Connection.open(...)`; after an exchange `reusable` says whether it
    can carry another one.
    """

    def __init__(self, sock: socket.socket, tls: TlsPipe | None) -> None:
        self._sock = sock
        self._tls = tls
        self._current: _Running | None = None
        self._loop = asyncio.get_running_loop()
        self._kernel = enable_kernel_time(sock)
        self.connect_ms: float | None = None
        self.tls_ms: float | None = None
        self.reusable = True

    @classmethod
    async def open(
        cls, endpoint: Endpoint, allow_private: bool, timeout_s: float = CONNECT_TIMEOUT_S
    ) -> Connection:
        """Connect, and shake hands when the endpoint speaks TLS.

        Raises ProviderError of kind `connect` or `timeout`.
        """
        try:
            async with asyncio.timeout(timeout_s):
                return await cls._open(endpoint, allow_private)
        except TimeoutError:
            raise ProviderError(
                "timeout",
                f"No connection to {endpoint.host}:{endpoint.port} within {timeout_s:g} s.",
            ) from None
        except (UnknownHost, BlockedAddress) as error:
            raise ProviderError("connect", str(error)) from None
        except ssl.SSLError as error:
            raise ProviderError(
                "connect", f"TLS with {endpoint.host} failed: {error.reason or error}."
            ) from None
        except OSError as error:
            raise ProviderError(
                "connect",
                f"Nothing answers at {endpoint.host}:{endpoint.port} ({error.strerror or error}); "
                "check the base URL and that the server runs.",
            ) from None

    @classmethod
    async def _open(cls, endpoint: Endpoint, allow_private: bool) -> Connection:
        loop = asyncio.get_running_loop()
        addresses = await loop.run_in_executor(
            None, connect_addresses, endpoint.host, endpoint.port, allow_private
        )
        started = time.monotonic_ns()
        sock = await _connect_first(loop, addresses)
        connected = time.monotonic_ns()
        try:
            tls = await TlsPipe.open(loop, sock, endpoint.host) if endpoint.tls else None
            connection = cls(sock, tls)
        except BaseException:
            sock.close()
            raise
        connection.connect_ms = (connected - started) / 1e6
        if endpoint.tls:
            connection.tls_ms = (time.monotonic_ns() - connected) / 1e6
        return connection

    @property
    def alive(self) -> bool:
        """Whether an idle connection is still open: an idle peer that sends anything, or
        ends, has closed it."""
        if not self.reusable or self._sock.fileno() < 0:
            return False
        try:
            return len(self._sock.recv(1, socket.MSG_PEEK)) < 0
        except BlockingIOError:
            return True
        except OSError:
            return False

    async def exchange(self, payload: bytes, timeout_s: float) -> Capture:
        """Send `payload` (a whole HTTP request) and read one whole response.

        Never raises for what the peer does: `Capture.ended` tells how it went.
        """
        if self._tls:
            payload = self._tls.encrypt(payload)
        running = _Running(self._loop, self._sock, Exchange(self._sock, self._tls, self._kernel))
        self._current = running
        capture = await running.run(payload, timeout_s)
        capture.connect_ms, capture.tls_ms = self.connect_ms, self.tls_ms
        self.connect_ms = self.tls_ms = None
        self.reusable = capture.ended == "complete" and running.exchange.end.keep_alive
        if not self.reusable:
            self.close()
        return capture

    def abort(self) -> None:
        """End the running exchange now, as cancelled; what was read stays in its capture."""
        if self._current is not None:
            self._current.end("cancelled")

    def close(self) -> None:
        """Close the socket; idempotent."""
        self.reusable = False
        self._sock.close()


class _Running:
    """An exchange watched by an asyncio loop."""

    def __init__(
        self, loop: asyncio.AbstractEventLoop, sock: socket.socket, exchange: Exchange
    ) -> None:
        self._loop, self._sock = loop, sock
        self._done: asyncio.Future[None] = loop.create_future()
        self.exchange = exchange

    async def run(self, payload: bytes, timeout_s: float) -> Capture:
        fd = self._sock.fileno()
        timer = self._loop.call_later(timeout_s, self.end, "timeout")
        self._loop.add_reader(fd, self._readable)
        try:
            self.exchange.start(payload)
            if self.exchange.sending:
                self._loop.add_writer(fd, self._writable)
            await self._done
        finally:
            timer.cancel()
            self._loop.remove_reader(fd)
            self._loop.remove_writer(fd)
        return self.exchange.capture

    def end(self, ended: Ended) -> None:
        self.exchange.finish(ended)
        self._settle()

    def _readable(self) -> None:
        self.exchange.readable()
        self._settle()

    def _writable(self) -> None:
        self.exchange.writable()
        if not self.exchange.sending:
            self._loop.remove_writer(self._sock.fileno())

    def _settle(self) -> None:
        if self.exchange.done and not self._done.done():
            self._done.set_result(None)


async def _connect_first(
    loop: asyncio.AbstractEventLoop, addresses: list[tuple[socket.AddressFamily, Any]]
) -> socket.socket:
    error: OSError | None = None
    for family, address in addresses:
        sock = socket.socket(family, socket.SOCK_STREAM)
        sock.setblocking(False)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            await loop.sock_connect(sock, address)
            return sock
        except OSError as failure:
            error = failure
            sock.close()
        except BaseException:
            sock.close()
            raise
    raise error or OSError("no address")
