"""One clock for all streams: calls back at absolute moments on the monotonic clock.

An event loop's own timers round to whole milliseconds, a tenth of a token gap. Where the
kernel has timerfd the pacer wakes within about 0.1 ms and the loop keeps sleeping until
then, so no stream has to spin.
"""

from __future__ import annotations

import asyncio
import ctypes
import heapq
import os
import sys
import time
from collections.abc import Callable
from itertools import count

_ABSOLUTE = 1  # TFD_TIMER_ABSTIME


class _TimerSpec(ctypes.Structure):
    """struct itimerspec: a repeat we do not use, then the moment."""

    _fields_ = [(name, ctypes.c_long) for name in ("every_s", "every_ns", "at_s", "at_ns")]


class Pacer:
    """A heap of (moment, callback), served in order of moment, then of asking."""

    def __init__(self, loop: asyncio.AbstractEventLoop, *, kernel_timer: bool = True) -> None:
        self._loop = loop
        self._heap: list[tuple[int, int, Callable[[], None]]] = []
        self._order = count()
        self._armed_for = -1
        self._serving = False
        self._handle: asyncio.TimerHandle | None = None
        self._fd = -1
        if kernel_timer and sys.platform == "linux":
            libc = ctypes.CDLL(None, use_errno=True)
            self._settime = libc.timerfd_settime
            self._fd = libc.timerfd_create(time.CLOCK_MONOTONIC, os.O_NONBLOCK | os.O_CLOEXEC)
        if self._fd >= 0:
            loop.add_reader(self._fd, self._wake)

    def at(self, when_ns: int, callback: Callable[[], None]) -> None:
        """Call back at `when_ns` on CLOCK_MONOTONIC, or as soon as possible after it."""
        heapq.heappush(self._heap, (when_ns, next(self._order), callback))
        if not self._serving and self._heap[0][0] != self._armed_for:
            self._arm()

    def close(self) -> None:
        """Forget everything that was asked for."""
        self._heap.clear()
        if self._handle is not None:
            self._handle.cancel()
        if self._fd >= 0:
            self._loop.remove_reader(self._fd)
            os.close(self._fd)
            self._fd = -1

    def _wake(self) -> None:
        if self._fd >= 0:
            try:
                os.read(self._fd, 8)
            except BlockingIOError:  # armed anew between the wake-up and this read
                return
        self._serving = True
        heap = self._heap
        # One moment for the whole round: under overload the sockets still get their turn.
        now = time.monotonic_ns()
        try:
            while heap and heap[0][0] <= now:
                heapq.heappop(heap)[2]()
        finally:
            self._serving = False
            self._armed_for = -1
            if heap:
                self._arm()

    def _arm(self) -> None:
        self._armed_for = when = self._heap[0][0]
        if self._fd >= 0:
            spec = _TimerSpec(0, 0, *divmod(max(when, 1), 1_000_000_000))
            self._settime(self._fd, _ABSOLUTE, ctypes.byref(spec), None)
            return
        if self._handle is not None:
            self._handle.cancel()
        delay_s = (when - time.monotonic_ns()) / 1e9
        self._handle = self._loop.call_later(max(delay_s, 0.0), self._wake)
