"""The timed middle step: an open connection, and one exchange after another on it.

TLS runs over memory buffers (`tls`), so that https takes the same path as http; how bytes
get their times is told in `exchange`.
"""

from __future__ import annotations

import asyncio
import socket
import time
from typing import Any

from engine.llm.errors import ProviderError
from engine.llm.exchange import READ_BYTES, Capture, Ended, Exchange, enable_kernel_time
from engine.llm.opening import STAGE_TIMEOUT_S, Opening, Stage, failed, late
from engine.llm.request import Endpoint
from engine.llm.tls import TlsPipe
from engine.net import BlockedAddress, UnknownHost, connect_addresses


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
        cls, endpoint: Endpoint, allow_private: bool, timeout_s: float = STAGE_TIMEOUT_S
    ) -> Connection:
        """Connect, go through the proxy if there is one, and shake hands when the endpoint
        speaks TLS; each of these may take `timeout_s`.

        Raises ProviderError of kind `connect` or `timeout`, which says at which stage.
        """
        opener = _Opener(endpoint, allow_private, timeout_s)
        try:
            return await opener.open()
        except TimeoutError:
            raise late(endpoint, opener.stage, timeout_s) from None
        except (UnknownHost, BlockedAddress) as error:
            raise ProviderError("connect", str(error)) from None
        except OSError as error:
            raise failed(endpoint, error) from None

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


class _Opener:
    """Opens one connection; `stage` is what it is at."""

    def __init__(self, endpoint: Endpoint, allow_private: bool, timeout_s: float) -> None:
        self._endpoint, self._timeout_s = endpoint, timeout_s
        # A proxy is the operator's own and may stand anywhere.
        self._allow_private = allow_private or endpoint.proxy is not None
        self._loop = asyncio.get_running_loop()
        self.stage: Stage = "name"

    async def open(self) -> Connection:
        """TimeoutError when a stage takes too long; OSError and what `Opening` raises."""
        host, port = self._endpoint.first_hop
        async with asyncio.timeout(self._timeout_s):
            addresses = await self._loop.run_in_executor(
                None, connect_addresses, host, port, self._allow_private
            )
        self.stage, started = "connect", time.monotonic_ns()
        sock = await self._connect(addresses)
        try:
            opening = await self._prepared(sock)
            connection = Connection(sock, opening.tls)
        except BaseException:
            sock.close()
            raise
        opened_ms = (time.monotonic_ns() - started) / 1e6
        connection.connect_ms = opened_ms - (opening.tls_ms or 0.0)
        connection.tls_ms = opening.tls_ms
        return connection

    async def _connect(self, addresses: list[tuple[socket.AddressFamily, Any]]) -> socket.socket:
        """A socket connected to the first address that answers; all share the time."""
        error: OSError | None = None
        for family, address in addresses:
            sock = socket.socket(family, socket.SOCK_STREAM)
            sock.setblocking(False)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            try:
                async with asyncio.timeout(self._timeout_s / len(addresses)):
                    await self._loop.sock_connect(sock, address)
                return sock
            except OSError as failure:
                error = failure
                sock.close()
            except BaseException:
                sock.close()
                raise
        raise error or OSError("no address")

    async def _prepared(self, sock: socket.socket) -> Opening:
        """Tunnel and TLS, each within its own time."""
        opening, ends = Opening(self._endpoint), dict[Stage, float]()
        reply = opening.begin()
        while reply or opening.stage != "open":
            self.stage = opening.stage if opening.stage != "open" else self.stage
            end = ends.setdefault(self.stage, self._loop.time() + self._timeout_s)
            async with asyncio.timeout_at(end):
                if reply:
                    await self._loop.sock_sendall(sock, reply)
                reply = b"" if opening.stage == "open" else opening.feed(await self._received(sock))
        return opening

    async def _received(self, sock: socket.socket) -> bytes:
        data = await self._loop.sock_recv(sock, READ_BYTES)
        if not data:
            raise ConnectionResetError("the connection was closed before it was open")
        return data
