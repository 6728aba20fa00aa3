"""A generator process: `python -m engine.speed.load.generator`, told its share on standard
input, reporting on standard output.

One loop over epoll reads all sockets; it does nothing but send and keep bytes while streams
are open, and decodes finished answers in small steps whenever no socket is ready.
"""

from __future__ import annotations

import gc
import os
import pickle
import resource
import select
import signal
import struct
import sys
import time
from array import array
from collections import deque
from collections.abc import Callable
from collections.abc import Generator as Steps
from dataclasses import replace
from typing import Any, BinaryIO

from engine.llm.ask import Asked
from engine.llm.decode import decode_in_steps
from engine.llm.errors import ProviderError
from engine.llm.exchange import Capture
from engine.llm.tokens import count_tokens
from engine.net import BlockedAddress, UnknownHost, connect_addresses
from engine.samples import SampleKey, pack_arrivals
from engine.speed.load.slot import Slot
from engine.speed.load.work import NONCE, Message, Ready, Report, Share, Stream, nonce_of
from engine.speed.metrics import measure

# The loop wakes at least this often, to look at deadlines, in seconds.
TICK_S = 0.05
# Below this, waiting for a due time is done by looking at the clock: epoll counts in ms.
SPIN_NS = 1_200_000
CONNECT_S = 20.0


class Generator:
    """Runs one share; `emit` takes its messages. `control` is the pipe of the process that
    asked: a word on it cancels, its end means that nobody is left to report to."""

    def __init__(self, share: Share, emit: Callable[[Message], None], control: BinaryIO) -> None:
        self._share, self._emit, self._control = share, emit, control
        self._poll = select.epoll()
        self._poll.register(control.fileno(), select.EPOLLIN)
        self._slots: dict[int, Slot] = {}
        self._idle: deque[Slot] = deque()
        self._due: deque[tuple[int, int]] = deque()
        self._captures: deque[tuple[int, int, Capture | str]] = deque()
        self._decoding: Steps[None, None, None] | None = None
        self._next = iter(share.numbers)
        self._left = len(share.numbers)
        self._busy = 0
        self._lags = array("q")
        self._timeout_ns = int(share.timeout_s * 1e9)
        self._nonce = NONCE.encode()
        self._failure: str | None = None
        self._refused = 0
        self._stop_ns = 0
        self._decode_ns = 0

    def connect(self) -> int:
        """Open the share's connections before the clock; how many stand."""
        end = time.monotonic() + CONNECT_S
        for _ in range(self._share.slots):
            self._open()
        while time.monotonic() < end and any(
            slot.state in ("connecting", "handshake") for slot in self._slots.values()
        ):
            self._pump(0.02)
        return len(self._idle)

    def run(self, start_ns: int) -> None:
        """Send and read from `start_ns` on until every request has ended."""
        share = self._share
        if share.duration_s is not None:
            self._stop_ns = start_ns + int(share.duration_s * 1e9)
        self._plan(start_ns)
        cpu, wall = time.process_time(), time.monotonic()
        gc.disable()
        try:
            while self._busy or self._due:
                self._pump(self._wait_s())
                self._dispatch()
            while self._captures or self._decoding:
                self._decode_step()
        finally:
            gc.enable()
        spent = time.process_time() - cpu
        self._emit(
            Report(spent, self._decode_ns / 1e9, time.monotonic() - wall, self._lags, self._left)
        )

    def _plan(self, start_ns: int) -> None:
        share = self._share
        if share.due_ns:
            for number, due in zip(self._next, share.due_ns, strict=True):
                self._due.append((start_ns + due, number))
        else:
            for start in share.starts_ns:
                self._plan_next(start_ns + start)

    def _plan_next(self, at_ns: int) -> None:
        """Put the closed loop's next request into the plan, unless time or number is up."""
        if self._stop_ns and at_ns >= self._stop_ns:
            return
        number = next(self._next, None)
        if number is not None:
            self._due.append((at_ns, number))

    def _wait_s(self) -> float:
        if not self._due:
            return 0.0 if self._captures or self._decoding else TICK_S
        ahead = self._due[0][0] - time.monotonic_ns()
        if ahead < SPIN_NS or self._captures or self._decoding:
            return 0.0
        return min(TICK_S, (ahead - SPIN_NS) / 1e9)

    def _pump(self, wait_s: float) -> None:
        """One round: read what is ready, else do a little of the untimed work."""
        ready = self._poll.poll(wait_s)
        slots = self._slots
        for fd, mask in ready:
            slot = slots.get(fd)
            if slot is None:
                self._cancel()
                continue
            slot.event(mask)
            if slot.exchange is not None and slot.exchange.done:
                self._finished(slot)
            elif slot.exchange is None:
                self._settled(slot)
        if not ready:
            self._expire()
            self._decode_step()

    def _settled(self, slot: Slot) -> None:
        """A connection that carries nothing: it stands now, or it is gone."""
        if slot.state == "idle":
            self._idle.append(slot)
        elif slot.state == "closed":
            self._slots.pop(slot.fd, None)
            if slot.error:
                self._failure = slot.error
                self._refused += 1

    def _finished(self, slot: Slot) -> None:
        self._busy -= 1
        number, planned = slot.number, slot.planned_ns
        capture = slot.take()
        self._captures.append((number, planned, capture))
        self._lags.append(capture.lag_ns)
        if slot.state == "idle":
            self._idle.append(slot)
        else:
            self._slots.pop(slot.fd, None)
        if not self._share.due_ns:
            self._plan_next(capture.ended_ns)

    def _dispatch(self) -> None:
        """Send every request that is due, on idle connections first."""
        now = time.monotonic_ns()
        while self._due and self._due[0][0] <= now:
            slot = self._take_idle()
            if slot is None:
                if self._connecting():
                    return
                # A connection that was refused stands for the request it was opened for.
                if not self._refused and self._open_more():
                    return
                self._give_up()
                continue
            planned, number = self._due.popleft()
            self._left -= 1
            self._busy += 1
            slot.send(self._payload(number), number, planned, self._timeout_ns)
            if slot.exchange is not None and slot.exchange.done:
                self._finished(slot)

    def _take_idle(self) -> Slot | None:
        while self._idle:
            slot = self._idle.popleft()
            if slot.state == "idle":
                return slot
        return None

    def _connecting(self) -> bool:
        return any(slot.state in ("connecting", "handshake") for slot in self._slots.values())

    def _open_more(self) -> bool:
        """Open what the backlog needs, up to the share's limit. True while waiting helps."""
        room = self._share.most_streams - len(self._slots)
        if room <= 0:
            return True
        opened = [self._open() for _ in range(min(room, len(self._due), 64))]
        return any(opened)

    def _open(self) -> bool:
        share = self._share
        try:
            (family, address), *_ = connect_addresses(
                share.endpoint.host, share.endpoint.port, share.allow_private
            )
        except (UnknownHost, BlockedAddress) as error:
            self._failure = str(error)
            return False
        try:
            slot = Slot(self._poll, family, address, share.endpoint.host, share.endpoint.tls)
        except OSError as error:
            self._failure = f"No further connection can be opened: {error.strerror}."
            return False
        self._slots[slot.fd] = slot
        return True

    def _give_up(self) -> None:
        """No connection can be had: the request fails with the reason."""
        self._refused = max(0, self._refused - 1)
        planned, number = self._due.popleft()
        self._left -= 1
        self._captures.append((number, planned, self._failure or "No connection could be made."))
        if not self._share.due_ns:
            self._plan_next(time.monotonic_ns())

    def _payload(self, number: int) -> bytes:
        share = self._share
        body = share.bodies[number % len(share.bodies)]
        return body.replace(self._nonce, nonce_of(share.seed, number))

    def _expire(self) -> None:
        now = time.monotonic_ns()
        for slot in list(self._slots.values()):
            exchange = slot.exchange
            if exchange is not None and now >= slot.expires_ns:
                exchange.finish("timeout")
                self._finished(slot)

    def _cancel(self) -> None:
        """Stop sending, and end what is open; what was read stays."""
        if read_message(self._control) is None:
            sys.exit(1)
        self._due.clear()
        self._stop_ns = 1
        for slot in list(self._slots.values()):
            if slot.exchange is not None:
                slot.exchange.finish("cancelled")
                self._finished(slot)

    def close(self) -> None:
        """Close what is open."""
        for slot in list(self._slots.values()):
            slot.close()
        self._poll.close()

    def _decode_step(self) -> None:
        if self._decoding is None:
            if not self._captures:
                return
            self._decoding = self._decode(*self._captures.popleft())
        before = time.thread_time_ns()
        if next(self._decoding, self) is self:
            self._decoding = None
        self._decode_ns += time.thread_time_ns() - before

    def _decode(self, number: int, planned: int, capture: Capture | str) -> Steps[None, None, None]:
        asked = Asked()
        if isinstance(capture, str):
            asked.error = ProviderError("connect", capture)
            closed = time.monotonic_ns()
        else:
            asked.capture, closed = capture, capture.ended_ns
            asked.cancelled = capture.ended == "cancelled"
            try:
                asked.decoded = yield from decode_in_steps(
                    capture, self._share.model, self._share.secrets
                )
                asked.error = asked.decoded.error
            except ProviderError as error:
                asked.error = error
        sample = measure(SampleKey("", "", 0, number, False), asked, None, "")
        blob = pack_arrivals(sample.arrivals)
        short = replace(sample, arrivals=(), text=sample.text[:200])
        self._emit(Stream(number, planned, closed, short, blob))


def _raise_file_limit(wanted: int) -> int:
    """Raise the soft limit of open files to what the share needs, as far as it may go."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(wanted, hard), hard))
    return resource.getrlimit(resource.RLIMIT_NOFILE)[0]


def read_message(stream: BinaryIO) -> Any:
    """One length-prefixed pickle, None at the end of the stream."""
    head = stream.read(4)
    if len(head) < 4:
        return None
    return pickle.loads(stream.read(struct.unpack(">I", head)[0]))  # noqa: S301 - own child


def write_message(stream: BinaryIO, message: Any) -> None:
    """The other end of `read_message`."""
    data = pickle.dumps(message, protocol=5)
    stream.write(struct.pack(">I", len(data)) + data)
    stream.flush()


def main() -> None:
    """Serve shares until standard input closes.

    For each: a Share is read, Ready is written once its connections stand, the start time
    (monotonic ns) is read, and Streams are written as they end, a Report last.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    source, sink = sys.stdin.buffer, sys.stdout.buffer
    while (share := read_message(source)) is not None:
        limit = _raise_file_limit(share.most_streams + 64)
        if share.estimates:
            count_tokens("loads the tables before the clock")

        def emit(message: Message) -> None:
            write_message(sink, message)

        generator = Generator(share, emit, source)
        connected = generator.connect()
        emit(Ready(os.getpid(), connected, limit))
        start_ns = read_message(source)
        if start_ns is None:
            return
        generator.run(start_ns)
        generator.close()


if __name__ == "__main__":
    main()
