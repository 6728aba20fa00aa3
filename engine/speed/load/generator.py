"""A generator process: `python -m engine.speed.load.generator`, told its share on standard
input, reporting on standard output.

One loop over epoll reads all sockets; it does nothing but send and keep bytes while streams
are open, and finishes those that ended in small steps in between.
"""

from __future__ import annotations

import gc
import os
import resource
import select
import signal
import sys
import time
from array import array
from collections.abc import Callable
from heapq import heapify, heappop, heappush
from typing import BinaryIO

from engine.llm.tokens import count_tokens
from engine.speed.load.channel import read_message, write_message
from engine.speed.load.connections import Connections
from engine.speed.load.finisher import Finisher
from engine.speed.load.slot import Slot
from engine.speed.load.work import CANCEL, NONCE, Message, Ready, Report, Share, nonce_of

# The loop wakes at least this often, to look at deadlines, in nanoseconds.
TICK_NS = 50_000_000
# With this many streams open the loop naps before it looks for what came: a wake-up for
# every chunk would cost more than reading it, here and at an endpoint on the same machine.
# The kernel has noted when each chunk came, so a nap moves no time. It is a long one while
# the last look found few chunks.
MANY, FEW, NAP_NS, LONG_NAP_NS = 32, 8, 400_000, 1_000_000
# Nearer than this, a due time is waited for by looking at the clock.
SPIN_NS = 60_000
# epoll counts in milliseconds, rounded up.
MILLISECOND_NS = 1_000_000
# So many sockets ready at once are a backlog: reading goes on before anything is finished.
BACKLOG = 64
CONNECT_S = 20.0
# A closed loop tries again this long after a connection failed.
RETRY_NS = 250_000_000


class Generator:
    """Runs one share; `emit` takes its messages. `control` is the unbuffered pipe of the process
    that asked: a word on it cancels, its end means that nobody is left to report to."""

    def __init__(self, share: Share, emit: Callable[[Message], None], control: BinaryIO) -> None:
        self._share, self._emit, self._control = share, emit, control
        self._poll = select.epoll()
        self._poll.register(control.fileno(), select.EPOLLIN)
        self._connections = Connections(share, self._poll)
        self._finisher = Finisher(share, emit)
        self._due: list[tuple[int, int]] = []
        self._next = iter(share.numbers)
        self._left = len(share.numbers)
        self._busy = 0
        self._lags = array("q")
        self._timeout_ns = int(share.timeout_s * 1e9)
        self._nonce = NONCE.encode()
        self._stop_ns = 0
        self._looked_ns = 0
        self._found = 0
        self._blocked = False
        self._cancelled = False

    def connect(self) -> int:
        """Open the share's connections before the clock; how many stand."""
        connections = self._connections
        end = time.monotonic() + CONNECT_S
        for _ in range(self._share.slots):
            connections.open()
        while connections.opening and time.monotonic() < end and not self._cancelled:
            self._read(0.02)
            self._expire(time.monotonic_ns())
        if self._cancelled:
            connections.give_up()
        return connections.idle

    def run(self, start_ns: int) -> None:
        """Send and read from `start_ns` on until every request has ended."""
        share = self._share
        if share.duration_s is not None:
            self._stop_ns = start_ns + int(share.duration_s * 1e9)
        if not self._cancelled:
            self._plan(start_ns)
        cpu, wall = time.process_time(), time.monotonic()
        gc.disable()
        try:
            while self._busy or self._due:
                self._round()
            while self._finisher.pending:
                self._finisher.step()
        finally:
            gc.enable()
        self._emit(
            Report(
                cpu_s=time.process_time() - cpu,
                decode_s=self._finisher.cpu_ns / 1e9,
                wall_s=time.monotonic() - wall,
                lag_ns=self._lags,
                unsent=self._left,
                events=self._finisher.events,
                merged=self._finisher.merged,
            )
        )

    def _plan(self, start_ns: int) -> None:
        share = self._share
        if share.due_ns:
            self._due = [
                (start_ns + due, n) for n, due in zip(self._next, share.due_ns, strict=True)
            ]
            heapify(self._due)
        else:
            for start in share.starts_ns:
                self._plan_next(start_ns + start)

    def _plan_next(self, at_ns: int) -> None:
        """Put the closed loop's next request into the plan, unless time or number is up."""
        if self._share.due_ns or (self._stop_ns and at_ns >= self._stop_ns):
            return
        number = next(self._next, None)
        if number is not None:
            heappush(self._due, (at_ns, number))

    def _round(self) -> None:
        """Read what came, send what is due, and do a little of the untimed work."""
        self._found = self._read(self._wait_s())
        if self._due:
            self._dispatch()
        if self._found < BACKLOG:
            self._finisher.step()
        now = time.monotonic_ns()
        if now >= self._looked_ns + TICK_NS:
            self._looked_ns = now
            self._expire(now)

    def _wait_s(self) -> float:
        """How long to wait for sockets, in seconds; naps first where that is better."""
        if self._finisher.pending:
            return 0.0
        ahead = TICK_NS
        if self._due and not self._blocked:
            ahead = min(ahead, self._due[0][0] - time.monotonic_ns())
        if ahead <= SPIN_NS:
            return 0.0
        crowded = self._busy >= MANY and self._connections.stamped
        if crowded or ahead < MILLISECOND_NS + SPIN_NS:
            nap = min(LONG_NAP_NS if self._found < FEW else NAP_NS, ahead - SPIN_NS)
            time.sleep(nap / 1e9)
            ahead -= nap
        return max(0, ahead - MILLISECOND_NS) / 1e9

    def _read(self, wait_s: float) -> int:
        """One look at the sockets, and a read from each that is ready; how many were."""
        ready = self._poll.poll(wait_s)
        slots = self._connections.slots
        for fd, mask in ready:
            slot = slots.get(fd)
            if slot is None:
                if fd == self._control.fileno():
                    self._told(read_message(self._control))
                continue
            slot.event(mask)
            exchange = slot.exchange
            if exchange is None:
                self._connections.settled(slot)
            elif exchange.done:
                self._finished(slot)
        return len(ready)

    def _finished(self, slot: Slot) -> None:
        self._busy -= 1
        number, planned = slot.number, slot.planned_ns
        capture = slot.take()
        self._connections.released(slot)
        if capture.stale and not self._cancelled:
            self._left += 1
            heappush(self._due, (planned, number))
            return
        self._lags.append(capture.lag_ns)
        self._finisher.add(number, planned, capture)
        self._plan_next(capture.ended_ns)

    def _dispatch(self) -> None:
        """Send every request that is due, on idle connections first."""
        now = time.monotonic_ns()
        self._blocked = False
        while self._due and self._due[0][0] <= now:
            slot = self._connections.take()
            if slot is None:
                if self._connections.wait_for_more(len(self._due)):
                    # A socket will say when there is a connection again.
                    self._blocked = True
                    return
                self._give_up()
                continue
            planned, number = heappop(self._due)
            self._left -= 1
            self._busy += 1
            slot.send(self._payload(number), number, planned, self._timeout_ns)
            if slot.exchange is not None and slot.exchange.done:
                self._finished(slot)

    def _give_up(self) -> None:
        """No connection can be had: the request fails with the reason."""
        planned, number = heappop(self._due)
        self._left -= 1
        self._finisher.add(number, planned, self._connections.failure)
        self._plan_next(time.monotonic_ns() + RETRY_NS)

    def _payload(self, number: int) -> bytes:
        share = self._share
        body = share.bodies[number % len(share.bodies)]
        return body.replace(self._nonce, nonce_of(share.seed, number))

    def _expire(self, now: int) -> None:
        """End what has had its time: exchanges, and connections that do not come about."""
        for slot in list(self._connections.slots.values()):
            if now < slot.expires_ns or slot.state == "idle":
                continue
            slot.expire()
            if slot.exchange is not None:
                self._finished(slot)
            else:
                self._connections.settled(slot)

    def _told(self, word: str | None) -> None:
        if word is None:
            sys.exit(1)
        self.cancel()

    def cancel(self) -> None:
        """Stop sending, and end what is open; what was read stays."""
        self._cancelled = True
        self._due.clear()
        self._stop_ns = 1
        for slot in list(self._connections.slots.values()):
            if slot.exchange is not None:
                slot.exchange.finish("cancelled")
                self._finished(slot)

    def close(self) -> None:
        """Close what is open."""
        self._connections.close()
        self._poll.close()


def _raise_file_limit(wanted: int) -> int:
    """Raise the soft limit of open files to what the share needs, as far as it may go."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(wanted, hard), hard))
    return resource.getrlimit(resource.RLIMIT_NOFILE)[0]


def main() -> None:
    """Serve shares until standard input closes.

    For each: a Share is read, Ready is written once its connections stand, the start time
    (monotonic ns) is read, and Streams are written as they end, a Report last. CANCEL may come
    at any time, even after the Report.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    source, sink = os.fdopen(0, "rb", buffering=0), sys.stdout.buffer
    while (share := read_message(source)) is not None:
        if share == CANCEL:
            continue
        limit = _raise_file_limit(share.most_streams + 64)
        if share.estimates:
            count_tokens("loads the tables before the clock")

        def emit(message: Message) -> None:
            write_message(sink, message)

        generator = Generator(share, emit, source)
        connected = generator.connect()
        emit(Ready(os.getpid(), connected, limit))
        while (start_ns := read_message(source)) == CANCEL:
            generator.cancel()
        if start_ns is None:
            return
        generator.run(start_ns)
        generator.close()


if __name__ == "__main__":
    main()
