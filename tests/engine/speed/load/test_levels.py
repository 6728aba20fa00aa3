"""A level: how it is dealt out, and what its report says of generator and endpoint."""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Sequence
from typing import cast

import pytest

from engine.cancel import CancelToken
from engine.llm.request import PreparedRequest
from engine.samples import LevelClient, Sample, SampleKey
from engine.speed.levels import Level
from engine.speed.load import levels
from engine.speed.load.levels import Pressed, run_level
from engine.speed.load.pool import GeneratorPool
from engine.speed.load.work import Report, Share, Stream
from engine.targets import Target
from tests.engine.speed.load.shares import request_to

MS = 1_000_000
TARGET = Target("p", "m", "openai/m", "http://127.0.0.1:1/v1", "sk-alice", allow_private=True)


class ToldPool:
    """Answers with what it was given, and keeps the shares it was asked to run."""

    def __init__(self, *messages: Stream | Report) -> None:
        self.messages = messages
        self.shares: list[Share] = []

    def run(self, shares: Sequence[Share], cancel: CancelToken) -> Iterator[Stream | Report]:
        self.shares = list(shares)
        yield from self.messages


def stream(planned_ms: float, delay_ms: float = 0.0, ttft_ms: float | None = 100.0) -> Stream:
    planned = int(planned_ms * MS)
    sample = Sample(
        SampleKey("", "", 0, 0, False), "ok", start_ns=planned + int(delay_ms * MS), ttft_ms=ttft_ms
    )
    return Stream(0, planned, planned, sample, b"")


def report(cpu_s: float = 1.0, wall_s: float = 10.0, unsent: int = 0, merged: int = 0) -> Report:
    return Report(cpu_s, cpu_s / 3, wall_s, array("q", [MS, 2 * MS]), unsent, 1_000, merged)


def client_of(level: Level, *messages: Stream | Report) -> LevelClient:
    *_, client = run(ToldPool(*messages), level)
    assert isinstance(client, LevelClient)
    return client


def run(pool: ToldPool, level: Level, prepared: PreparedRequest | None = None) -> list[object]:
    request = prepared or request_to("http://127.0.0.1:1/v1")
    pressed = Pressed(TARGET, [request], 30.0, seed=5, service_s=2.0)
    return list(run_level(cast(GeneratorPool, pool), level, pressed, CancelToken()))


CLOSED = Level("closed", 8, 32)
RATE = Level("constant", 50.0, 200)


def test_a_closed_level_is_dealt_out_by_index(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(levels, "STREAMS_A_PROCESS", 4)
    monkeypatch.setattr("os.cpu_count", lambda: 2)
    pool = ToldPool(report())
    run(pool, CLOSED)
    assert [share.numbers for share in pool.shares] == [range(0, 32, 2), range(1, 32, 2)]
    assert [share.slots for share in pool.shares] == [4, 4]
    assert sorted([*pool.shares[0].starts_ns, *pool.shares[1].starts_ns]) == [
        int(2e9 * slot / 8) for slot in range(8)
    ]


def test_an_open_level_has_one_plan_for_all_processes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(levels, "STREAMS_A_PROCESS", 100)
    monkeypatch.setattr("os.cpu_count", lambda: 2)
    pool = ToldPool(report())
    run(pool, RATE)
    one, two = (share.due_ns for share in pool.shares)
    assert sorted([*one, *two]) == [20 * MS * number for number in range(200)]
    assert two[0] - one[0] == 20 * MS


def test_a_generator_that_computes_all_the_time_is_saturated() -> None:
    assert client_of(CLOSED, report(cpu_s=9.0)).saturated
    easy = client_of(CLOSED, report(cpu_s=2.0))
    assert not easy.saturated
    assert easy.marks == ()


def test_reads_so_late_that_events_ran_together_mark_the_level() -> None:
    late = client_of(CLOSED, report(merged=30), report())
    assert late.marks == ("late_reads",)
    assert late.saturated
    assert not client_of(CLOSED, report(merged=3), report()).saturated


def test_cpu_is_the_sum_and_its_share_that_of_the_busiest_process() -> None:
    client = client_of(CLOSED, report(cpu_s=3.0), report(cpu_s=6.0))
    assert client.cpu_s == pytest.approx(9.0)
    assert client.decode_s == pytest.approx(3.0)
    assert client.cpu_share == pytest.approx(0.6)
    assert client.lag_ms_p99 == pytest.approx(2.0)


def test_requests_that_went_late_mark_the_level() -> None:
    late = [stream(20 * n, delay_ms=3.0) for n in range(30)]
    assert client_of(RATE, *late, report()).marks == ("late_dispatch",)
    prompt = [stream(20 * n, delay_ms=0.4) for n in range(30)]
    assert client_of(RATE, *prompt, report()).marks == ()


def test_requests_that_were_never_sent_mark_an_open_level_alone() -> None:
    steady = [stream(20 * n) for n in range(30)]
    assert client_of(RATE, *steady, report(unsent=4)).marks == ("unsent",)
    assert client_of(CLOSED, *steady, report(unsent=4)).marks == ()


def test_first_tokens_that_come_later_and_later_are_a_backlog() -> None:
    growing = [stream(20 * n, ttft_ms=100.0 + 5 * n) for n in range(200)]
    assert client_of(RATE, *growing, report()).marks == ("backlog",)
    assert client_of(CLOSED, *growing, report()).marks == ()


def test_a_queue_that_stays_as_long_as_it_was_is_no_backlog() -> None:
    busy = [stream(20 * n, ttft_ms=100.0 + 60.0 * (n % 4)) for n in range(200)]
    assert client_of(RATE, *busy, report()).marks == ()


def test_a_few_slow_answers_show_no_trend() -> None:
    few = [stream(20 * n, ttft_ms=100.0 + 90 * n) for n in range(8)]
    assert client_of(RATE, *few, report()).marks == ()
