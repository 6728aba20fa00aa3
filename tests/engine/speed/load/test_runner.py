"""Load runs against an endpoint of known pace and capacity."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from statistics import median
from typing import Any
from unittest.mock import patch

import numpy as np
import pytest

from engine.cancel import CancelToken
from engine.events import Event, Finished, LevelDone, Notice, SampleDone, SampleFailed
from engine.llm.prepare import prepare
from engine.llm.request import ChatRequest
from engine.report import Result, cautions, document, results
from engine.report.knee import sweeps
from engine.report.result import Client
from engine.samples import LevelClient, Sample
from engine.specs import BenchmarkSpec, TargetRef
from engine.speed.levels import Level
from engine.speed.load import levels
from engine.speed.load.levels import Pressed
from engine.speed.load.pool import GeneratorPool
from engine.speed.load.work import Stream
from engine.speed.runner import run_benchmark
from engine.targets import Target
from tests.bench.endpoints import DEMO, Pace, Served, serving

TOKENS = 5
# An answer takes 60 ms, and four are given at once: 66 requests a second at most.
CAPPED = Pace(first_ms=40, gap_ms=5, capacity=4)
SLOS = {"slo_ttft_ms": 70.0, "slo_tpot_ms": 50.0}


@pytest.fixture(scope="module")
def capped() -> Iterator[Served]:
    with serving(DEMO, CAPPED) as endpoint:
        yield endpoint


Run = tuple[list[Event], list[Result]]


def run(endpoint: Served, load: dict[str, Any], **spec: Any) -> Run:
    target = Target("bench", "m", "openai/m", endpoint.base_url, "k", allow_private=True)
    fields = {"targets": [target.ref], "load": load, "max_tokens": TOKENS, "timeout_s": 20, **spec}
    asked = BenchmarkSpec.model_validate(fields)
    events = list(run_benchmark(asked, [target], cancel=CancelToken()))
    clients = {e.where: Client.of(e.client) for e in events if isinstance(e, LevelDone)}
    return events, results(samples(events), [target], asked, clients)


def samples(events: Iterable[Event]) -> list[Sample]:
    return [e.sample for e in events if isinstance(e, SampleDone | SampleFailed)]


def measured(events: Iterable[Event], level: str) -> list[Sample]:
    return [sample for sample in samples(events) if sample.key.level == level]


def client(events: Iterable[Event]) -> LevelClient:
    (found,) = (event.client for event in events if isinstance(event, LevelDone))
    return found


def test_a_sweep_stops_where_the_endpoint_is_saturated() -> None:
    with serving(DEMO, Pace(first_ms=16, gap_ms=1, capacity=4)) as small:
        events, rows = run(small, {"levels": [2, 4, 8, 16, 32], "requests": 48})
    taken = [row.level for row in rows if row.requests.total]
    assert taken in (["c2", "c4", "c8"], ["c2", "c4", "c8", "c16"])
    (notice,) = (event for event in events if isinstance(event, Notice))
    assert (notice.code, notice.dropped) == ("saturated", 48 * (5 - len(taken)))
    assert f"saturated at {taken[-1][1:]} streams" in notice.text
    (sweep,) = sweeps(rows)
    assert sweep.knee
    spec = BenchmarkSpec(targets=(TargetRef(provider="bench", model="m"),))
    marked = [row["level"] for row in document(rows, {}, spec)["results"] if row["knee"]]
    assert marked == [sweep.knee.level]
    assert events[-1] == Finished("complete")


@pytest.fixture(scope="module")
def swept(capped: Served) -> Run:
    """Three levels, the second of which gains nothing."""
    return run(capped, {"levels": [4, 8, 12], "requests": 16, "stop_at_saturation": False, **SLOS})


def test_a_sweep_goes_on_when_it_is_told_to(swept: Run) -> None:
    assert len(measured(swept[0], "c12")) == 16
    assert not [event for event in swept[0] if isinstance(event, Notice)]


def test_a_rate_nobody_can_serve_is_counted_from_when_it_was_due(capped: Served) -> None:
    """Twice what the endpoint can: each request waits longer than the one before, and the
    truth is known: request n ends when the n-th place was free."""
    load = {"arrivals": "constant", "levels": [130], "requests": 80}
    capped.truth()
    events, (row,) = run(capped, load)
    taken = sorted(measured(events, "r130"), key=lambda s: s.key.run)
    truth = sorted(capped.truth()[1:], key=lambda t: t.received_ns)
    due_ns = [taken[0].start_ns - (taken[0].delay_ms or 0) * 1e6 + n / 130 * 1e9 for n in range(80)]
    ends = sorted(record.end_ns for record in truth)
    lasts = sorted(record.sends[-1] for record in truth)
    true_p99 = np.percentile(
        [(last - due) / 1e6 for last, due in zip(lasts, due_ns, strict=True)], 99
    )
    assert len(ends) == 80
    # `make bench` holds this to 2 %; here the machine may be busy.
    assert row.scheduled_e2e_ms.p99 == pytest.approx(true_p99, rel=0.05)
    assert true_p99 > 400
    assert row.goodput.share is None


def test_a_burst_that_needs_more_processes_than_one_gets_them_and_is_judged() -> None:
    with serving(DEMO, Pace(first_ms=250, gap_ms=1)) as slow:
        load = {"arrivals": "constant", "levels": [1_500], "requests": 330}
        events, (row,) = run(slow, load)
    told = client(events)
    late = [s.delay_ms for s in measured(events, "r1500") if s.delay_ms is not None]
    assert len(late) == 330
    assert told.processes == min(2, os.cpu_count() or 1)
    assert told.delay_ms_p99 == pytest.approx(np.percentile(late, 99), rel=0.01)
    beyond = (told.delay_ms_p99 or 0.0) > 0.01 * (row.ttft_ms.p50 or 0.0)
    assert ("late_dispatch" in told.marks) == beyond
    assert row.client.marks == told.marks


def test_a_request_that_waits_for_its_connection_is_marked_as_sent_late(capped: Served) -> None:
    """One process may hold so many connections: what is due beyond waits, and says so."""
    target = Target("bench", "m", "openai/m", capped.base_url, "k", allow_private=True)
    question = ChatRequest(({"role": "user", "content": "Why?"},), TOKENS)
    pressed = Pressed(target, [prepare(target, question)], 20.0, 7)
    with GeneratorPool(1) as pool, patch.object(levels, "MOST_STREAMS", 2):
        level = Level("constant", 100, 12)
        *streams, told = levels.run_level(pool, level, pressed, CancelToken())
    assert isinstance(told, LevelClient)
    assert "late_dispatch" in told.marks
    waits = [s.sample.start_ns - s.planned_ns for s in streams if isinstance(s, Stream)]
    assert len(waits) == 12
    # Two at a time take 60 ms each, so the last one goes out after 300 ms, 190 ms late.
    assert max(waits) / 1e6 > 170


def test_goodput_counts_what_keeps_every_limit(swept: Run) -> None:
    (row,) = (result for result in swept[1] if result.level == "c8")
    firsts = [sample.ttft_ms or 0.0 for sample in measured(swept[0], "c8")]
    good = sum(first <= 70 for first in firsts)
    assert 0 < good < 16
    shown = row.as_dict()["goodput"]
    assert shown["share"] == row.goodput.share == good / 16
    assert shown["ci95"][0] < good / 16 < shown["ci95"][1]
    assert shown["per_s"] == pytest.approx(good / (row.duration_s or 0))


def starts_s(events: Iterable[Event], level: str, streams: int) -> list[float]:
    sent = sorted(sample.start_ns for sample in measured(events, level))[:streams]
    return [(at - sent[0]) / 1e9 for at in sent]


def marks(events: Iterable[Event]) -> set[str]:
    """Of all levels."""
    found = (event.client.marks for event in events if isinstance(event, LevelDone))
    return {mark for marks in found for mark in marks}


def test_streams_start_over_one_service_time_of_the_warm_up(swept: Run) -> None:
    assert "started_together" not in marks(swept[0])
    warm = median(s.total_ms or 0.0 for s in samples(swept[0]) if s.key.warmup) / 1e3
    assert starts_s(swept[0], "c4", 4)[-1] == pytest.approx(warm * 3 / 4, abs=0.03)


def test_without_a_warm_up_they_start_together_and_the_result_says_so(capped: Served) -> None:
    events, rows = run(capped, {"levels": [1, 4], "requests": 4}, warmup=0)
    alone, together = rows
    assert "started_together" not in alone.client.marks
    assert "started_together" in together.client.marks
    assert starts_s(events, "c4", 4)[-1] < 0.02
    assert "started together" in " ".join(cautions(rows))


def test_a_ramp_spreads_the_streams_of_a_level_that_ends_by_time(capped: Served) -> None:
    events, _ = run(capped, {"levels": [4], "duration_s": 0.4, "ramp_s": 0.3}, warmup=0)
    assert "started_together" not in marks(events)
    begins = sorted(sample.start_ns for sample in measured(events, "c4"))
    assert (begins[-1] - begins[0]) / 1e9 <= 0.42
    # One stream alone, 60 ms a request, until the second one begins after 75 ms.
    assert len([at for at in begins if at < begins[0] + 70_000_000]) == 2


def test_a_random_rate_ends_by_time(capped: Served) -> None:
    events, (row,) = run(capped, {"arrivals": "poisson", "levels": [80], "duration_s": 0.25})
    taken = measured(events, "r80")
    assert 8 <= len(taken) <= 36
    assert all(sample.ok for sample in taken)
    due = [sample.start_ns / 1e9 - (sample.delay_ms or 0) / 1e3 for sample in taken]
    assert max(due) - min(due) < 0.25
    assert row.rate == 80
