"""Benchmarks as jobs: what the engine says is stored, counted and resumed."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

from engine.cancel import CancelToken
from engine.events import Event, Finished, Notice, SampleDone, SampleFailed, Started
from engine.samples import Sample, SampleKey
from engine.specs import TargetRef
from jobs import runner, submit
from jobs.handlers import benchmark
from jobs.store import load_samples, load_targets
from tests.helpers import eventually
from tests.jobs.conftest import fresh
from tests.jobs.handlers.conftest import FAST, Start
from webapp import db
from webapp.models import Job, Run, SampleRow, User
from webapp.settings import Settings


def _keys(run: Run) -> Counter[SampleKey]:
    return Counter(sample.key for sample in load_samples(run))


def _again(run: Run) -> Run:
    row: Run = Run.get_by_id(run.id)
    return row


def test_a_run_stores_every_sample_and_what_it_was_taken_with(
    start: Start, studio: Settings
) -> None:
    job, run = start(f"one/{FAST}", f"two/{FAST}", warmup=1)

    runner.run_next("main")

    job, run = fresh(job), _again(run)
    assert (job.state, job.error) == ("done", None)
    assert (job.total, job.done, job.failed) == (6, 6, 0)
    assert job.result == {"run": run.id, "done": 6, "failed": 0, "ended": "complete"}
    assert set(_keys(run).values()) == {1}
    assert len(_keys(run)) == 6
    assert all(sample.ok and len(sample.arrivals) == 4 for sample in load_samples(run))
    assert [target.label for target in load_targets(run)] == [FAST, FAST]
    assert run.environment["other_jobs"] == 0
    assert run.finished_at == pytest.approx(time.time(), abs=10)


def test_what_failed_is_stored_counted_and_explained(start: Start, alice: User) -> None:
    job, run = start(f"good/{FAST}", "bad/no-such-model")

    runner.run_next("main")

    job = fresh(job)
    assert (job.state, job.done, job.failed) == ("done", 4, 2)
    failed = [sample for sample in load_samples(run) if not sample.ok]
    assert {(sample.key.provider, sample.error) for sample in failed} == {("bad", "bad_request")}
    assert all(sample.message for sample in failed)


def test_a_tier_that_does_not_fit_is_a_stored_notice(
    start: Start,
) -> None:
    job, run = start(FAST, context_tiers=(0, 50_000))

    runner.run_next("main")

    [notice] = _again(run).notices
    assert notice["code"] == "tier_skipped"
    assert notice["target"] == {"provider": "lab", "model": FAST}
    assert "4,096" in notice["text"]
    assert fresh(job).total == 2


def test_a_run_that_was_deleted_is_not_filled(start: Start) -> None:
    job, run = start(FAST)
    Run.update(deleted_at=time.time()).execute()

    runner.run_next("main")

    assert fresh(job).state == "failed"
    assert "deleted" in str(fresh(job).error)
    assert load_samples(run) == []
    assert not submit.resume(fresh(job))


def test_a_run_that_took_over_the_id_of_a_deleted_one_is_not_filled(
    start: Start, bob: User
) -> None:
    job, run = start(FAST)
    run.delete_instance()
    other = Run.create(id=run.id, user=bob, name="Bob's", spec={})

    runner.run_next("main")

    assert fresh(job).state == "failed"
    assert load_samples(other) == []


class Script:
    """A double of the engine: says what it is given and remembers what it was asked."""

    def __init__(self, *events: Event) -> None:
        self.events, self.stored, self.closed = events, frozenset[SampleKey](), False
        self.spent_usd = 0.0

    def __call__(
        self,
        spec: object,
        targets: object,
        *,
        cancel: CancelToken,
        stored: frozenset[SampleKey],
        levels: object,
        spent_usd: float,
    ) -> Iterator[Event]:
        self.stored, self.spent_usd = stored, spent_usd
        try:
            yield from self.events
        finally:
            self.closed = True


def _sample(run: int, outcome: Any = "ok", **more: Any) -> Sample:
    return Sample(SampleKey("lab", FAST, 0, run, False), outcome, **more)


@pytest.mark.parametrize(
    ("reason", "state", "error"),
    [
        ("complete", "done", None),
        ("budget", "done", None),
        ("cancelled", "cancelled", None),
        ("deadline", "failed", "limit"),
    ],
)
def test_the_engines_reason_decides_the_state(
    start: Start,
    monkeypatch: pytest.MonkeyPatch,
    reason: Any,
    state: str,
    error: str | None,
) -> None:
    script = Script(Started(2, {}), SampleDone(_sample(0)), Finished(reason))
    monkeypatch.setattr(benchmark, "run_benchmark", script)
    job, run = start(FAST)
    Job.update(deadline_s=5).execute()

    runner.run_next("main")

    row = fresh(job)
    assert row.state == state
    assert row.error is None if error is None else error in str(row.error)
    assert row.done == len(load_samples(run)) == 1
    assert _again(run).finished_at is not None


def test_an_engine_that_breaks_loses_no_finished_sample(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    def engine(*_: object, **__: object) -> Iterator[Event]:
        yield Started(3, {})
        yield SampleDone(_sample(0))
        yield SampleFailed(_sample(1, "failed", error="timeout"))
        raise ZeroDivisionError("engine")

    monkeypatch.setattr(benchmark, "run_benchmark", engine)
    job, run = start(FAST)

    runner.run_next("main")

    row = fresh(job)
    assert (row.state, row.done, row.failed) == ("failed", 2, 1)
    assert "ZeroDivisionError" in str(row.error)
    assert len(load_samples(run)) == 2


def test_resume_passes_what_is_stored_and_repeats_what_was_cut(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    done = _sample(0, cost_usd=0.25)
    failed, cut = _sample(1, "failed", error="server", message="no"), _sample(2, "incomplete")
    first = Script(
        Started(3, {"host": "a"}),
        Notice("no_usage", "No usage."),
        SampleDone(done),
        SampleFailed(failed),
        SampleFailed(cut),
        Finished("cancelled"),
    )
    monkeypatch.setattr(benchmark, "run_benchmark", first)
    job, run = start(FAST)
    runner.run_next("main")
    assert (fresh(job).done, fresh(job).failed) == (2, 1)

    whole = _sample(2, ttft_ms=9.0)
    second = Script(
        Started(3, {"host": "b"}),
        Notice("no_usage", "No usage."),
        SampleDone(whole),
        Finished("complete"),
    )
    monkeypatch.setattr(benchmark, "run_benchmark", second)
    submit.resume(fresh(job))
    runner.run_next("main")

    assert (first.stored, first.spent_usd) == (frozenset(), 0)
    assert second.spent_usd == 0.25
    assert second.stored == {done.key, failed.key}
    assert load_samples(run) == [done, failed, whole]
    assert (fresh(job).done, fresh(job).failed, fresh(job).state) == (3, 1, "done")
    row = _again(run)
    assert len(row.notices) == 1
    assert row.environment["host"] == "a"
    assert row.environment["resumed"] == [{"host": "b"}]


def test_a_target_that_is_left_out_makes_the_run_shorter(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    script = Script(
        Started(10, {}),
        Notice("target_left_out", "Left out.", TargetRef(provider="lab", model=FAST), dropped=7),
        Finished("complete"),
    )
    monkeypatch.setattr(benchmark, "run_benchmark", script)
    job, _ = start(FAST)

    runner.run_next("main")

    assert fresh(job).total == 3


def test_a_worker_that_was_taken_for_dead_stores_nothing_more(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    job, run = start(FAST)

    def engine(*_: object, **__: object) -> Iterator[Event]:
        yield Started(3, {})
        yield SampleDone(_sample(0))
        eventually(lambda: SampleRow.select().count() == 1)
        Job.update(state="interrupted").where(Job.id == job.id).execute()
        for index in range(1, 200):
            yield SampleDone(_sample(index))
        yield Finished("complete")

    monkeypatch.setattr(benchmark, "run_benchmark", engine)

    runner.run_next("main")

    assert [sample.key.run for sample in load_samples(run)] == [0]
    assert fresh(job).state == "interrupted"


def test_a_run_says_how_many_jobs_ran_beside_it(
    start: Start, monkeypatch: pytest.MonkeyPatch, bob: User
) -> None:
    _, run = start(FAST)
    beside = {"kind": "wait", "spec": {}, "started_at": time.time()}
    Job.create(user=bob, state="running", heartbeat_at=db.now(), **beside)
    Job.create(user=bob, state="running", lane="quick", heartbeat_at=db.now(), **beside)
    Job.create(user=bob, state="done", finished_at=time.time() - 60, **beside)

    monkeypatch.setattr(benchmark, "run_benchmark", Script(Started(0, {}), Finished("complete")))
    runner.run_next("main")

    assert _again(run).environment["other_jobs"] == 1
