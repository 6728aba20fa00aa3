"""An exchange on a socket whose kernel times are scripted."""

from __future__ import annotations

import socket
import struct
import time
from typing import Any, cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.llm import exchange as module
from engine.llm.exchange import CLOCK_STEP_NS, Capture, Exchange, enable_kernel_time
from tests.engine.llm.streams import chunked, delta, head, sse

MS = 1_000_000
NOTE = (socket.SOL_SOCKET, 35)


class Kernel:
    """A socket that gives each read with the stamp it is told: milliseconds from now by the
    wall clock, or None where the kernel says nothing."""

    def __init__(self, reads: list[tuple[bytes, float | None]], takes: int = 1 << 30) -> None:
        self._reads, self._takes = reads, takes

    def send(self, data: memoryview) -> int:
        return min(len(data), self._takes)

    def recvmsg(self, size: int, notes: int) -> tuple[bytes, list[Any], int, None]:
        data, stamp = self._reads.pop(0)
        if stamp is None:
            return data, [], 0, None
        at_ns = time.time_ns() + int(stamp * MS)
        packed = struct.pack("qq", *divmod(at_ns, 1_000_000_000))
        return data, [(*NOTE, packed)], 0, None


def answer(pieces: int) -> list[bytes]:
    """A response in that many reads, and one for its head."""
    bodies = chunked(*(sse(delta("x")) for _ in range(pieces)))
    size = len(bodies) // pieces + 1
    return [head(), *(bodies[n : n + size] for n in range(0, len(bodies), size))]


def run(*stamps: float | None) -> Capture:
    """One exchange with a read for each stamp, the head's being first."""
    reads = list(zip(answer(len(stamps) - 1), stamps, strict=True))
    exchange = Exchange(cast("socket.socket", Kernel(reads)), None, kernel=True)
    exchange.start(b"POST / HTTP/1.1\r\n\r\n")
    while not exchange.done:
        exchange.readable()
    assert exchange.capture.ended == "complete"
    return exchange.capture


def test_stamps_are_moved_to_the_monotonic_clock() -> None:
    before = time.monotonic_ns()
    capture = run(0, 0, 0)
    assert capture.clock == "kernel"
    assert capture.lag_ns < 1_000 * MS
    assert before - MS < capture.times[0] <= capture.times[-1] <= capture.ended_ns + MS


@pytest.mark.parametrize(
    ("stamps", "why"),
    [
        ((0, None, 0), "one is missing"),
        ((0, 5_000, 0), "one comes after its read: the wall clock was set forward"),
        ((-3_600_000, -3_600_000, -3_600_000), "all come before the request"),
        ((0, -3_600_000, -3_600_000), "the wall clock was set back by an hour"),
        ((0, 3_600_000, 0), "and forward for a moment"),
    ],
)
def test_stamps_that_cannot_be_right_give_way_to_the_reads(
    stamps: tuple[float | None, ...], why: str
) -> None:
    before = time.monotonic_ns()
    capture = run(*stamps)
    assert capture.clock == "read", why
    assert before <= capture.sent_ns <= capture.times[0]
    assert capture.times[-1] <= capture.ended_ns


def test_stamps_that_go_back_by_more_than_bytes_overtake_each_other_are_given_up(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "CLOCK_STEP_NS", 20_000 * MS)
    assert run(-0.1, -9_000, -0.1).clock == "kernel"
    assert run(10_000, -15_000, 0).clock == "read"


def test_bytes_that_overtook_each_other_are_there_with_the_last_of_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "CLOCK_STEP_NS", 2_000 * MS)
    capture = run(-0.1, -300, -0.1)
    assert capture.clock == "kernel"
    assert capture.times[0] == capture.times[1] <= capture.times[2]


@settings(max_examples=60)
@given(st.lists(st.none() | st.floats(-5_000, 5_000), min_size=2, max_size=6))
def test_whatever_the_kernel_says_times_are_in_order_and_within_the_exchange(
    stamps: list[float | None],
) -> None:
    before = time.monotonic_ns()
    capture = run(*stamps)
    assert list(capture.times) == sorted(capture.times)
    assert before - CLOCK_STEP_NS <= capture.sent_ns <= capture.times[0]
    assert capture.times[-1] <= capture.ended_ns + CLOCK_STEP_NS


def test_an_answer_before_the_requests_last_byte_takes_no_negative_time() -> None:
    reads: list[tuple[bytes, float | None]] = [(data, 0.0) for data in answer(1)]
    exchange = Exchange(cast("socket.socket", Kernel(reads, takes=4)), None, kernel=True)
    exchange.start(b"POST")
    exchange.capture.sent_ns += 3_600_000 * MS
    while not exchange.done:
        exchange.readable()
    assert exchange.capture.sent_ns <= exchange.capture.times[0]


def test_a_system_without_stamps_says_so() -> None:
    class Old:
        def setsockopt(self, *_: object) -> None:
            raise OSError("protocol not available")

    assert enable_kernel_time(cast("socket.socket", Old())) is False


def test_without_stamps_the_reads_are_the_clock() -> None:
    class Plain(Kernel):
        def recv(self, size: int) -> bytes:
            return self._reads.pop(0)[0]

    reads = [(data, None) for data in answer(2)]
    exchange = Exchange(cast("socket.socket", Plain(list(reads))), None, kernel=False)
    exchange.start(b"GET")
    while not exchange.done:
        exchange.readable()
    assert exchange.capture.clock == "read"
    assert exchange.capture.sent_ns <= exchange.capture.times[0]


def test_an_answer_without_end_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_BYTES", 1_000)
    start = head("content-length: 9999999999", chunked=False)
    reads: list[tuple[bytes, float | None]] = [(start, 0.0), *[(b"x" * 400, 0.0)] * 9]
    exchange = Exchange(cast("socket.socket", Kernel(reads)), None, kernel=True)
    exchange.start(b"GET")
    while not exchange.done:
        exchange.readable()
    assert (exchange.capture.ended, len(reads)) == ("oversize", 6)
