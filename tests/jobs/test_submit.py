from __future__ import annotations

import sqlite3
import time
from typing import Any

import pytest

from engine.specs import BenchmarkSpec, TargetRef, load_spec
from jobs import queue, states, submit
from tests.jobs.conftest import fresh
from webapp import db
from webapp.models import Job, Run, User
from webapp.settings import Settings

SPEC = BenchmarkSpec(targets=(TargetRef(provider="demo", model="fast-small"),))


def _submit(user: User, **options: Any) -> Job:
    return submit.submit(user, "benchmark", SPEC, title="A run", **options)


def _run(user: User) -> Run:
    return Run(user=user, name="A run", spec=SPEC.model_dump(mode="json"))


def test_a_submitted_job_waits_with_its_whole_spec_and_a_wake_up(alice: User) -> None:
    job = _submit(alice)

    row = fresh(job)
    assert (row.state, row.lane, row.attempt, row.title) == ("queued", "main", 0, "A run")
    assert load_spec(row.spec) == SPEC
    assert (queue.pending("main"), queue.pending("quick")) == (1, 0)


def test_the_row_a_job_fills_is_stored_with_it(alice: User) -> None:
    run = _run(alice)

    job = _submit(alice, fills=run)

    assert job.subject == fresh(job).subject == run.id
    assert Run.get_by_id(run.id).job_id == job.id


def test_a_row_that_cannot_be_stored_leaves_no_job(alice: User) -> None:
    with pytest.raises(ValueError, match="JSON"):
        _submit(alice, fills=Run(user=alice, name="x", spec={"nan": float("nan")}))

    assert Job.select().count() == 0
    assert queue.pending("main") == 0


def test_a_transaction_around_it_is_refused(alice: User) -> None:
    with db.write(), pytest.raises(RuntimeError, match="transaction"):
        _submit(alice)


def test_quick_checks_have_their_own_lane_and_deadline(alice: User) -> None:
    jobs = [
        submit.submit(alice, "key_test", {}, title="t", lane="quick", deadline_s=asked)
        for asked in (None, 5.0, 500.0)
    ]

    assert [job.deadline_s for job in jobs] == [30, 5, 30]
    assert (queue.pending("main"), queue.pending("quick")) == (0, 3)


def test_a_queue_that_is_locked_does_not_lose_the_job(
    alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    def locked(lane: str, job_id: int) -> None:
        raise sqlite3.OperationalError("database is locked")

    monkeypatch.setattr(queue, "wake", locked)

    assert fresh(_submit(alice)).state == "queued"


def test_many_jobs_are_never_refused(alice: User) -> None:
    jobs = [_submit(alice) for _ in range(50)]

    assert {fresh(job).state for job in jobs} == {"queued"}


def test_a_resumed_job_is_queued_with_a_wake_up(alice: User) -> None:
    job = _submit(alice, fills=_run(alice))
    queue.main.storage.flush_queue()
    assert submit.cancel(job)

    assert submit.resume(fresh(job))

    assert fresh(job).state == "queued"
    assert queue.pending("main") == 1
    assert not submit.resume(fresh(job))
    assert queue.pending("main") == 1


def test_a_job_whose_run_is_gone_is_not_resumed(alice: User, bob: User) -> None:
    run = _run(alice)
    job = _submit(alice, fills=run)
    submit.cancel(job)
    run.delete_instance()
    Run.create(id=run.id, user=bob, name="Bob's", spec={})

    assert not submit.resume(fresh(job))


def _past(user: User, *durations: float, kind: str = "benchmark") -> None:
    for duration in durations:
        times = {"started_at": 1_000.0, "finished_at": 1_000.0 + duration}
        Job.create(user=user, kind=kind, spec={}, state="done", **times)


def _start(elapsed_s: float = 0, **columns: Any) -> Job:
    job = states.claim("main", "host:1")
    assert job is not None
    Job.update(started_at=db.now() - elapsed_s, **columns).where(Job.id == job.id).execute()
    return job


def _wait_of(job: Job) -> float | None:
    at = submit.expected_start(fresh(job))
    return None if at is None else at - time.time()


def test_a_job_below_its_users_limit_should_start_now(alice: User) -> None:
    assert _wait_of(_submit(alice)) == pytest.approx(0, abs=1)


def test_the_forecast_is_unknown_without_a_past(alice: User) -> None:
    _submit(alice), _submit(alice)
    _start(), _start()

    assert _wait_of(_submit(alice)) is None


def test_the_forecast_follows_the_users_last_jobs_of_that_kind(alice: User, bob: User) -> None:
    _past(alice, 90, 100, 400)
    _past(alice, 5, 5, 5, 5, kind="key_test")
    _past(bob, 7, 7, 7, 7)
    for _ in range(2):
        _submit(alice)
    _start(elapsed_s=30), _start(elapsed_s=10)
    third, fourth, fifth = (_submit(alice) for _ in range(3))

    assert _wait_of(third) == pytest.approx(70, abs=2)
    assert _wait_of(fourth) == pytest.approx(90, abs=2)
    assert _wait_of(fifth) == pytest.approx(170, abs=2)


def test_a_running_jobs_own_progress_says_more_than_the_past(alice: User) -> None:
    _past(alice, 1_000)
    User.update(jobs_at_once=1).execute()
    _submit(alice)
    _start(elapsed_s=30, done=3, total=4)

    assert _wait_of(_submit(alice)) == pytest.approx(10, abs=2)


def test_a_job_that_started_has_its_own_time(alice: User, studio: Settings) -> None:
    job = _submit(alice)
    _start()

    assert submit.expected_start(fresh(job)) == fresh(job).started_at
