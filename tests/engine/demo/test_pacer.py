"""The pacer: never early, in order, and with the kernel's timer close to the moment."""

from __future__ import annotations

import asyncio
import statistics
import sys
import time
from collections.abc import Callable

import pytest

from engine.demo.pacer import Pacer

MS = 1_000_000
KINDS = [True, False] if sys.platform == "linux" else [False]


def paced(offsets_ms: list[float], *, kernel_timer: bool) -> list[tuple[int, float]]:
    """(index, lateness in ms) of a callback at each offset, in the order of the calls."""

    async def run() -> list[tuple[int, float]]:
        loop = asyncio.get_running_loop()
        pacer = Pacer(loop, kernel_timer=kernel_timer)
        done, calls = asyncio.Event(), []
        start = time.monotonic_ns()

        def called(index: int, when: int) -> Callable[[], None]:
            def note() -> None:
                calls.append((index, (time.monotonic_ns() - when) / MS))
                if len(calls) == len(offsets_ms):
                    done.set()

            return note

        for index, offset in enumerate(offsets_ms):
            when = start + round(offset * MS)
            pacer.at(when, called(index, when))
        await asyncio.wait_for(done.wait(), 5)
        pacer.close()
        return calls

    return asyncio.run(run())


@pytest.mark.parametrize("kernel_timer", KINDS)
def test_callbacks_come_in_the_order_of_their_moments_and_never_early(kernel_timer: bool) -> None:
    calls = paced([30, 10, 20, 10, -5], kernel_timer=kernel_timer)
    assert [index for index, _ in calls] == [4, 1, 3, 2, 0]
    assert all(late >= 0 for _, late in calls)


@pytest.mark.skipif(sys.platform != "linux", reason="timerfd is Linux's")
def test_the_kernels_timer_is_finer_than_a_loops_millisecond() -> None:
    late = [late for _, late in paced([5.37 + 2.21 * i for i in range(60)], kernel_timer=True)]
    assert statistics.median(late) < 0.6


@pytest.mark.parametrize("kernel_timer", KINDS)
def test_a_callback_may_ask_for_the_next_one(kernel_timer: bool) -> None:
    async def run() -> int:
        pacer = Pacer(asyncio.get_running_loop(), kernel_timer=kernel_timer)
        done, times = asyncio.Event(), [time.monotonic_ns() + 5 * MS]

        def step() -> None:
            if len(times) == 10:
                done.set()
                return
            times.append(times[-1] + 2 * MS)
            pacer.at(times[-1], step)

        pacer.at(times[0], step)
        await asyncio.wait_for(done.wait(), 5)
        pacer.close()
        return time.monotonic_ns() - times[0]

    assert asyncio.run(run()) >= 18 * MS


@pytest.mark.parametrize("kernel_timer", KINDS)
def test_a_closed_pacer_calls_nobody(kernel_timer: bool) -> None:
    async def run() -> list[str]:
        calls: list[str] = []
        loop, later = asyncio.get_running_loop(), asyncio.Event()
        closed, witness = (Pacer(loop, kernel_timer=kernel_timer) for _ in range(2))
        closed.at(time.monotonic_ns() + MS, lambda: calls.append("late"))
        closed.close()
        witness.at(time.monotonic_ns() + 5 * MS, later.set)
        await asyncio.wait_for(later.wait(), 5)
        witness.close()
        return calls

    assert asyncio.run(run()) == []
