"""The timed middle step: send bytes, and keep `(arrival time, bytes)` for each read.

Nothing is decoded here. The arrival time is the kernel's (SO_TIMESTAMPNS, taken when the
segment reached this machine) where the system has it, else the moment of the read. The
kernel stamps CLOCK_REALTIME; it is moved to the monotonic clock by one offset, and a
capture during which that offset moved (the wall clock was stepped) falls back to the read
times. TLS runs over memory buffers, so that https takes the same path.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
import struct
import time
from array import array
from dataclasses import dataclass, field
from typing import Any, Literal

from engine.llm.errors import ProviderError
from engine.llm.framing import ResponseEnd
from engine.llm.request import Endpoint
from engine.llm.tls import TlsPipe
from engine.net import BlockedAddress, UnknownHost, connect_addresses

READ_BYTES = 262_144
CONNECT_TIMEOUT_S = 15.0
# An offset that moved further than this while a capture ran means the wall clock was stepped.
CLOCK_STEP_NS = 500_000

_SO_TIMESTAMPNS = 35  # asm-generic/socket.h; Python's socket module does not export it
_TIMESPEC = struct.Struct("qq")
_ANCILLARY = socket.CMSG_SPACE(_TIMESPEC.size)

Ended = Literal["complete", "eof", "reset", "timeout", "cancelled"]


@dataclass(slots=True)
class Capture:
    """What one exchange looked like from the socket.

    Times are nanoseconds on the monotonic clock: `sent_ns` is `t_send`, the moment the
    request's last byte was handed to the socket; `times[i]` belongs to `chunks[i]`
    (plaintext bytes). `sent_at` is `t_send` as UTC epoch seconds. `connect_ms` and
    `tls_ms` are None when the connection was reused.
    """

    sent_ns: int = 0
    sent_at: float = 0.0
    times: array[int] = field(default_factory=lambda: array("q"))
    chunks: list[bytes] = field(default_factory=list)
    ended_ns: int = 0
    ended: Ended = "complete"
    clock: Literal["kernel", "read"] = "read"
    connect_ms: float | None = None
    tls_ms: float | None = None
    lag_ns: int = 0


def clock_offset_ns() -> int:
    """CLOCK_MONOTONIC − CLOCK_REALTIME, the tightest of five bracketed readings."""
    best, offset = None, 0
    for _ in range(5):
        before = time.monotonic_ns()
        wall = time.time_ns()
        after = time.monotonic_ns()
        if best is None or after - before < best:
            best, offset = after - before, (before + after) // 2 - wall
    return offset


class Connection:
    """One open HTTP/1.1 connection; one exchange at a time.

    Open it with `await Connection.open(...)`; after an exchange `reusable` says whether it
    can carry another one.
    """

    def __init__(self, sock: socket.socket, tls: TlsPipe | None) -> None:
        self._sock = sock
        self._tls = tls
        self._current: _Exchange | None = None
        self._loop = asyncio.get_running_loop()
        self._kernel = _enable_kernel_time(sock)
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
        exchange = _Exchange(self._sock, self._tls, self._kernel, self._loop)
        self._current = exchange
        capture = await exchange.run(payload, timeout_s)
        capture.connect_ms, capture.tls_ms = self.connect_ms, self.tls_ms
        self.connect_ms = self.tls_ms = None
        self.reusable = capture.ended == "complete" and exchange.end.keep_alive
        if not self.reusable:
            self.close()
        return capture

    def abort(self) -> None:
        """End the running exchange now, as cancelled; what was read stays in its capture."""
        if self._current is not None:
            self._current.finish("cancelled")

    def close(self) -> None:
        """Close the socket; idempotent."""
        self.reusable = False
        self._sock.close()


class _Exchange:
    """One request and its response on a non-blocking socket."""

    def __init__(
        self,
        sock: socket.socket,
        tls: TlsPipe | None,
        kernel: bool,
        loop: asyncio.AbstractEventLoop,
    ) -> None:
        self._sock, self._tls = sock, tls
        self._kernel, self._loop = kernel, loop
        self._done: asyncio.Future[None] = loop.create_future()
        self._pending = memoryview(b"")
        self._stamps = array("q")
        self._missing_stamp = not kernel
        self.end = ResponseEnd()
        self.capture = Capture()

    async def run(self, payload: bytes, timeout_s: float) -> Capture:
        capture, fd = self.capture, self._sock.fileno()
        offset = clock_offset_ns()
        timer = self._loop.call_later(timeout_s, self.finish, "timeout")
        self._pending = memoryview(payload)
        self._loop.add_reader(fd, self._readable)
        try:
            self._writable()
            await self._done
        finally:
            timer.cancel()
            self._loop.remove_reader(fd)
            self._loop.remove_writer(fd)
        capture.ended_ns = time.monotonic_ns()
        self._settle_clock(offset)
        return capture

    def finish(self, ended: Ended) -> None:
        if not self._done.done():
            self.capture.ended = ended
            self._done.set_result(None)

    def _writable(self) -> None:
        """Send what is left. `t_send` is taken just before the call that hands over the
        last byte: on loopback the peer may run before that call returns."""
        try:
            while self._pending:
                now_ns, now = time.monotonic_ns(), time.time()
                sent = self._sock.send(self._pending)
                if sent == len(self._pending):
                    self.capture.sent_ns, self.capture.sent_at = now_ns, now
                self._pending = self._pending[sent:]
        except BlockingIOError:
            self._loop.add_writer(self._sock.fileno(), self._writable)
            return
        except OSError:
            # The peer may have answered (413, say) before it stopped reading.
            self._sent_what_it_could()
        self._loop.remove_writer(self._sock.fileno())

    def _sent_what_it_could(self) -> None:
        self.capture.sent_ns, self.capture.sent_at = time.monotonic_ns(), time.time()
        self._pending = memoryview(b"")

    def _readable(self) -> None:
        try:
            if self._kernel:
                data, ancillary, _, _ = self._sock.recvmsg(READ_BYTES, _ANCILLARY)
            else:
                data, ancillary = self._sock.recv(READ_BYTES), []
        except BlockingIOError:
            return
        except OSError:
            self.finish("reset")
            return
        now = time.monotonic_ns()
        closed = not data
        if data and self._tls is not None:
            data, closed = self._tls.decrypt(data)
        if data:
            self._keep(now, ancillary, data)
        if closed:
            self.finish("complete" if self.end.feed_eof() else "eof")

    def _keep(self, now: int, ancillary: list[Any], data: bytes) -> None:
        stamp = _kernel_time(ancillary)
        if stamp is None:
            self._missing_stamp = True
        self._stamps.append(stamp or 0)
        self.capture.times.append(now)
        self.capture.chunks.append(data)
        if self.end.feed(data):
            self.finish("complete")

    def _settle_clock(self, offset_before: int) -> None:
        """Put the kernel's times, moved to the monotonic clock, in place of the read times,
        unless one is missing or the wall clock was stepped meanwhile."""
        capture = self.capture
        offset = clock_offset_ns()
        if self._missing_stamp or not capture.times:
            return
        if abs(offset - offset_before) > CLOCK_STEP_NS:
            return
        moved = array("q", (stamp + offset for stamp in self._stamps))
        lags = [read - kernel for read, kernel in zip(capture.times, moved, strict=True)]
        if min(lags) < -CLOCK_STEP_NS or moved[0] < capture.sent_ns - CLOCK_STEP_NS:
            return
        capture.lag_ns = max(lags)
        capture.times = moved
        capture.clock = "kernel"


def _enable_kernel_time(sock: socket.socket) -> bool:
    try:
        sock.setsockopt(socket.SOL_SOCKET, _SO_TIMESTAMPNS, 1)
    except OSError:
        return False
    return hasattr(sock, "recvmsg")


def _kernel_time(ancillary: list[Any]) -> int | None:
    for level, kind, data in ancillary:
        if level == socket.SOL_SOCKET and kind == _SO_TIMESTAMPNS:
            seconds, nanos = _TIMESPEC.unpack(data[: _TIMESPEC.size])
            return int(seconds * 1_000_000_000 + nanos)
    return None


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
