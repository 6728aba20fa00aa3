"""One request and its response on a non-blocking socket: bytes out, timed bytes in.

Nothing is decoded here. The arrival time is the kernel's (SO_TIMESTAMPNS, taken when the
segment reached this machine) where the system has it, else the moment of the read. The
kernel stamps CLOCK_REALTIME; it is moved to the monotonic clock by one offset. A capture
whose stamps cannot be right falls back to the read times and says so: the offset moved
(the wall clock was stepped), stamps go back, or come after their reads or before the request.

An exchange knows no event loop: whoever watches the socket calls `readable` and
`writable`, so that the sequential runner and the load generator time the same way.
"""

from __future__ import annotations

import atexit
import socket
import struct
import time
from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache
from itertools import accumulate, islice
from operator import gt, sub
from typing import Any, Literal

from engine.llm.framing import ResponseEnd
from engine.llm.tls import TlsPipe

# A buffer of 128 KiB or more is mapped and unmapped anew for every read: 15 µs against 1 µs.
READ_BYTES = 65_536
# An offset that moved further than this while a capture ran means the wall clock was stepped.
CLOCK_STEP_NS = 500_000

_SO_TIMESTAMPNS = 35  # asm-generic/socket.h; Python's socket module does not export it
_TIMESPEC = struct.Struct("qq")
NOTE_BYTES = socket.CMSG_SPACE(_TIMESPEC.size)

# An answer is given up beyond this many bytes: no model writes so much, and memory is shared.
MOST_BYTES = 64 * 1024 * 1024

Ended = Literal["complete", "eof", "reset", "timeout", "cancelled", "oversize"]


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

    @property
    def stale(self) -> bool:
        """Whether a kept connection turned out to be closed: it ended without a byte of an
        answer, as it does when the peer closed it while the request was on its way. Such a
        request belongs on a new connection (RFC 9112, section 9.3.1)."""
        return self.connect_ms is None and not self.chunks and self.ended in ("eof", "reset")


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


class Exchange:
    """Sends `payload` (a whole HTTP request, already encrypted for a TLS session) and reads
    one whole response into `capture`.

    `kernel` says that the socket carries kernel times. After `start` the owner calls
    `readable` and, while `sending`, `writable` when the socket is ready, until `done`;
    `finish` ends it from outside. Never raises for what the peer does: `capture.ended`
    tells how it went.
    """

    __slots__ = (
        "_earliest",
        "_kernel",
        "_missing_stamp",
        "_offset",
        "_pending",
        "_room",
        "_sock",
        "_stamps",
        "_tls",
        "capture",
        "done",
        "end",
    )

    def __init__(self, sock: socket.socket, tls: TlsPipe | None, kernel: bool) -> None:
        self._sock, self._tls, self._kernel = sock, tls, kernel
        self._pending = memoryview(b"")
        self._stamps: list[bytes] = []
        self._missing_stamp = not kernel
        self._offset = self._earliest = 0
        self._room = MOST_BYTES
        self.end = ResponseEnd()
        self.capture = Capture()
        self.done = False

    @property
    def sending(self) -> bool:
        """Whether part of the request is still to be sent."""
        return len(self._pending) > 0

    def start(self, payload: bytes) -> None:
        """Begin to send."""
        self._offset = clock_offset_ns()
        self._earliest = time.monotonic_ns() - CLOCK_STEP_NS
        self._pending = memoryview(payload)
        self.writable()

    def finish(self, ended: Ended) -> None:
        """End the exchange; the first call counts."""
        if self.done:
            return
        self.done = True
        self.capture.ended = ended
        self.capture.ended_ns = time.monotonic_ns()
        self._settle_clock()
        if self.capture.times:
            # Who answers before the request's last byte has not answered in negative time.
            self.capture.sent_ns = min(self.capture.sent_ns, self.capture.times[0])

    def writable(self) -> None:
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
            return
        except OSError:
            # The peer may have answered (413, say) before it stopped reading.
            self.capture.sent_ns, self.capture.sent_at = time.monotonic_ns(), time.time()
            self._pending = memoryview(b"")

    def readable(self) -> None:
        """Take one read."""
        try:
            if self._kernel:
                data, notes, _, _ = self._sock.recvmsg(READ_BYTES, NOTE_BYTES)
            else:
                data, notes = self._sock.recv(READ_BYTES), []
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
            self._keep(now, notes, data)
        if closed:
            self.finish("complete" if self.end.feed_eof() else "eof")

    def _keep(self, now: int, notes: list[Any], data: bytes) -> None:
        # The one thing that was asked for; it is taken apart after the last read.
        if len(notes) == 1:
            self._stamps.append(notes[0][2])
        else:
            self._missing_stamp = True
        self.capture.times.append(now)
        self.capture.chunks.append(data)
        self._room -= len(data)
        if self.end.feed(data):
            self.finish("complete")
        elif self._room < 0:
            self.finish("oversize")

    def _settle_clock(self) -> None:
        """Put the kernel's times, moved to the monotonic clock, in place of the read times,
        unless one is missing or the wall clock was stepped meanwhile."""
        capture = self.capture
        offset = clock_offset_ns()
        if self._missing_stamp or not capture.times:
            return
        if abs(offset - self._offset) > CLOCK_STEP_NS:
            return
        moved = array("q", (stamp + offset for stamp in _nanoseconds(self._stamps)))
        lags = list(map(sub, capture.times, moved))
        if min(lags) < -CLOCK_STEP_NS or moved[0] < self._earliest:
            return
        if any(map(gt, moved, islice(moved, 1, None))):
            # Bytes may overtake each other on the way, and are there when the last one is.
            in_order = array("q", accumulate(moved, max))
            if max(map(sub, in_order, moved)) > CLOCK_STEP_NS:
                return
            moved = in_order
        capture.lag_ns = max(lags)
        capture.times = moved
        capture.clock = "kernel"


def enable_kernel_time(sock: socket.socket) -> bool:
    """Ask the kernel to stamp what arrives on `sock`; False where it cannot."""
    try:
        sock.setsockopt(socket.SOL_SOCKET, _SO_TIMESTAMPNS, 1)
        _keep_stamping()
    except OSError:
        return False
    return hasattr(sock, "recvmsg")


@cache
def _keep_stamping() -> socket.socket:
    """A socket that asks for stamps as long as this process lives: the kernel switches
    stamping on for the first such socket, and a little later than it is asked to."""
    keeper = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    keeper.setsockopt(socket.SOL_SOCKET, _SO_TIMESTAMPNS, 1)
    atexit.register(keeper.close)
    return keeper


def _nanoseconds(stamps: Sequence[bytes]) -> Iterator[int]:
    """Kernel times as CLOCK_REALTIME nanoseconds."""
    for seconds, nanos in _TIMESPEC.iter_unpack(b"".join(stamps)):
        yield seconds * 1_000_000_000 + nanos


def kernel_time(ancillary: list[Any]) -> int | None:
    """The kernel's receive time among what `recvmsg` gave beside the bytes, CLOCK_REALTIME."""
    for level, kind, data in ancillary:
        if level == socket.SOL_SOCKET and kind == _SO_TIMESTAMPNS:
            seconds, nanos = _TIMESPEC.unpack(data[: _TIMESPEC.size])
            return int(seconds * 1_000_000_000 + nanos)
    return None
