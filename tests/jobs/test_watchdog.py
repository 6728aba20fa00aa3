from __future__ import annotations

import subprocess
import sys
import threading
import time
from typing import Any

import pytest
from peewee import OperationalError

from jobs import queue, states, submit, timing, watchdog
from tests.helpers import eventually
from tests.jobs.conftest import ROOT, fresh
from webapp import db
from webapp.models import Eval, Job, Run, SampleRow, SuiteRow, SuiteVersion, User
from webapp.settings import Settings


def _running(user: User, silent_s: float) -> Job:
    heartbeat = time.time() - silent_s
    job: Job = Job.create(
        user=user, kind="wait", spec={}, state="running", attempt=1, heartbeat_at=heartbeat
    )
    return job


def test_the_intervals_are_those_that_are_documented() -> None:
    assert (timing.HEARTBEAT_S, timing.LEASE_S, timing.WEB_SWEEP_S) == (5, 30, 10)
    assert timing.WORKER_SWEEP_S == 5
    assert timing.POLL_S <= 0.5
    assert timing.QUICK_DEADLINE_S == 30
    assert timing.UNDO_S == 600


def test_a_shorter_lease_shortens_all_intervals() -> None:
    code = "from jobs import timing as t; print(t.LEASE_S, t.HEARTBEAT_S, t.WEB_SWEEP_S)"
    answer = subprocess.run(
        [sys.executable, "-c", code],
        env={"STUDIO_LEASE_S": "3", "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert answer.stdout == "3.0 0.5 1.0\n"


def test_a_sweep_ends_what_has_been_silent_for_longer_than_the_lease(alice: User) -> None:
    silent, alive = _running(alice, 31), _running(alice, 25)

    watchdog.sweep()

    assert fresh(silent).state == "interrupted"
    assert "resume" in str(fresh(silent).error)
    assert fresh(alive).state == "running"


def test_the_end_of_a_lost_job_wakes_a_worker_for_the_next(alice: User) -> None:
    User.update(jobs_at_once=1).execute()
    _running(alice, 31)
    submit.submit(alice, "wait", {}, title="Next")
    queue.main.storage.flush_queue()

    watchdog.sweep()

    assert queue.pending("main") == 1


def test_sweeps_send_each_runnable_job_one_wake_up(alice: User) -> None:
    for lane in ("main", "main", "main", "quick"):
        submit.submit(alice, "wait", {}, title="x", lane=lane)
    for huey in (queue.main, queue.quick):
        huey.storage.flush_queue()

    for _ in range(3):
        watchdog.sweep()

    # Alice may run two jobs at once, so the third needs no wake-up yet.
    assert (queue.pending("main"), queue.pending("quick")) == (2, 1)


def test_a_locked_database_is_left_to_the_next_sweep(
    alice: User, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def locked(lease_s: float) -> list[Job]:
        raise OperationalError("database is locked")

    monkeypatch.setattr(states, "end_lost", locked)

    watchdog.sweep()

    assert "sweep put off: database is locked" in caplog.text


def _deleted(user: User, ago_s: float | None, **job: Any) -> tuple[int, int]:
    row = Job.create(user=user, kind="benchmark", spec={}, **{"state": "done", **job})
    at = None if ago_s is None else time.time() - ago_s
    run = Run.create(user=user, job=row, name="A run", spec={}, deleted_at=at)
    SampleRow.create(run=run, provider="p", model="m", context_tokens=0, run_index=0, outcome="ok")
    return run.id, row.id


def test_deleted_runs_are_forgotten_after_their_undo_period(alice: User, bob: User) -> None:
    over = _deleted(alice, 601)
    kept = [_deleted(bob, 590), _deleted(alice, None), _deleted(alice, 601, state="running")]

    assert watchdog.forget_deleted() == 1

    assert {(run.id, run.job_id) for run in Run.select()} == set(kept)
    assert {job.id for job in Job.select()} == {job for _, job in kept}
    assert {row.run_id for row in SampleRow.select()} == {run for run, _ in kept}
    assert over not in kept
    assert watchdog.forget_deleted() == 0


def test_a_run_without_a_job_is_forgotten_too(alice: User) -> None:
    Run.create(user=alice, name="Imported", spec={}, deleted_at=time.time() - 601)

    assert watchdog.forget_deleted() == 1


def test_evaluations_and_suites_are_forgotten_like_runs(alice: User) -> None:
    past, soon = time.time() - 601, time.time() - 10
    suite = SuiteRow.create(user=alice, name="Old", deleted_at=past)
    version = SuiteVersion.create(suite=suite, number=1, content={})
    SuiteRow.create(user=alice, name="Kept", deleted_at=soon)
    job = Job.create(user=alice, kind="tool_eval", spec={}, state="done")
    gone = {"user": alice, "spec": {}, "suite": {}, "suite_version": version}
    Eval.create(name="Gone", job=job, deleted_at=past, **gone)
    Eval.create(name="Stays", **gone)

    assert watchdog.forget_deleted() == 2

    assert [row.name for row in SuiteRow.select()] == ["Kept"]
    assert [(row.name, row.suite_version_id) for row in Eval.select()] == [("Stays", None)]
    assert Job.select().count() == 0


def test_the_background_sweeps_until_it_is_stopped(
    alice: User, studio: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    sweeps: list[float] = []
    monkeypatch.setattr(watchdog, "sweep", lambda: sweeps.append(time.monotonic()))

    stop = watchdog.start_background(studio, every_s=0.02)
    eventually(lambda: len(sweeps) >= 3)
    stop()
    count = len(sweeps)

    assert not [t for t in threading.enumerate() if t.name == "watchdog"]
    assert len(sweeps) == count


def test_a_sweep_in_another_thread_uses_a_connection_of_its_own(
    alice: User, studio: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = _running(alice, 31)

    stop = watchdog.start_background(studio, every_s=0.02)
    eventually(lambda: fresh(job).state == "interrupted")
    stop()

    assert not db.database.is_closed()
