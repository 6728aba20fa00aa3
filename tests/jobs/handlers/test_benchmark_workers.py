"""Benchmarks in real workers, against the real demo server."""

from __future__ import annotations

import os
import signal
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.demo.process import DemoServer
from jobs import queue, submit
from jobs.store import load_samples
from tests.helpers import eventually
from tests.jobs.conftest import TEST_LEASE_S, Consumer, fresh, leave_idle, pid_of, reaches
from tests.jobs.handlers.conftest import FAST, Start
from webapp.models import Run, SampleRow
from webapp.settings import Settings


@pytest.fixture(scope="module")
def workers(shared: Settings) -> Iterator[Consumer]:
    """One consumer for all tests here, as it is in production."""
    consumer = Consumer("main", 1, shared.data / "consumer.log", app="jobs.queue")
    eventually(lambda: queue.beat_age_s("main"), 60, what="the import of LiteLLM")
    yield consumer
    consumer.kill_all()


@pytest.fixture
def studio(shared: Settings) -> Iterator[Settings]:
    yield shared
    leave_idle()


def test_a_consumer_loads_litellm_without_threads_and_then_forks(workers: Consumer) -> None:
    process = Path(f"/proc/{workers.pid}")

    assert "_tiktoken" in (process / "maps").read_text(), "a library that LiteLLM brings"
    assert len(list((process / "task").iterdir())) == 1
    assert len(workers.children()) == 2


def test_samples_are_stored_and_shown_while_the_run_goes_on(
    start: Start, workers: Consumer
) -> None:
    job, run = start(FAST, runs=500)

    eventually(lambda: fresh(job).done >= 2, 20)

    row = fresh(job)
    assert (row.state, row.total) == ("running", 500)
    assert f"lab/{FAST}, run " in row.message
    stored = SampleRow.select().where(SampleRow.run == run.id).count()
    assert stored >= row.done
    for sample in SampleRow.select():
        finished = sample.started_at + (sample.total_ms or 0) / 1000
        assert sample.stored_at - finished < 1


def test_a_cancelled_run_keeps_what_it_has_and_can_go_on(start: Start, workers: Consumer) -> None:
    job, run = start(FAST, runs=4, max_tokens=80)
    eventually(lambda: fresh(job).done >= 1, 20)

    assert submit.cancel(job)

    row = reaches(job, "cancelled", 2)
    kept = {sample.key: sample for sample in load_samples(run) if sample.ok}
    cut = [sample for sample in load_samples(run) if not sample.ok]
    assert 1 <= len(kept) == row.done < 4
    assert {sample.outcome for sample in cut} <= {"incomplete"}
    assert row.failed == 0

    assert submit.resume(row)
    row = reaches(job, "done", 20)
    after = {sample.key: sample for sample in load_samples(run)}
    assert (row.total, row.done, row.failed) == (4, 4, 0)
    assert all(sample.ok for sample in after.values())
    assert kept.items() <= after.items()


def test_a_killed_worker_costs_no_stored_sample_and_resume_takes_only_the_rest(
    start: Start, workers: Consumer, demo: DemoServer
) -> None:
    before = len(demo.truth())
    job, run = start(f"one/{FAST}", f"two/{FAST}", runs=8)
    eventually(lambda: fresh(job).done >= 3, 20)

    os.kill(pid_of(job), signal.SIGKILL)

    stored = {sample.key: sample for sample in load_samples(run)}
    row = reaches(job, "interrupted", TEST_LEASE_S + 10)
    asked = len(demo.truth())
    assert {sample.key: sample for sample in load_samples(run)} == stored
    assert 3 <= row.done <= len(stored) < 16

    assert submit.resume(row)
    row = reaches(job, "done", 20)
    after = {sample.key: sample for sample in load_samples(run)}
    assert (row.attempt, row.total, row.done, row.failed) == (2, 16, 16, 0)
    assert stored.items() <= after.items()
    assert set(Counter(sample.key for sample in load_samples(run)).values()) == {1}
    assert {(key.provider, key.run) for key in after} == {
        (name, index) for name in ("one", "two") for index in range(8)
    }
    # Asked again is what had no stored answer, each once: what was open, or had just ended.
    assert len(demo.truth()) - asked == 16 - len(stored)
    assert 16 <= asked - before + 16 - len(stored) <= 16 + 2 * 2
    assert len(Run.get_by_id(run.id).environment["resumed"]) == 1
