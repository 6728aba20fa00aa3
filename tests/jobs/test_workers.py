"""The rules of jobs, kept by real consumers and seen from outside."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from jobs import submit
from tests.helpers import eventually
from tests.jobs.conftest import (
    TEST_LEASE_S,
    Consumer,
    fresh,
    leave_idle,
    pid_of,
    reaches,
    waiting_job,
)
from webapp.models import User
from webapp.settings import Settings


@pytest.fixture(scope="module")
def workers(shared: Settings) -> Iterator[Consumer]:
    """One consumer for all tests here; they leave it idle."""
    consumer = Consumer("main", 3, shared.data / "consumer.log")
    yield consumer
    consumer.kill_all()


@pytest.fixture
def studio(shared: Settings) -> Iterator[Settings]:
    yield shared
    leave_idle()


def test_a_submitted_job_is_run_by_a_worker_process(
    alice: User, gate: Path, workers: Consumer
) -> None:
    job = waiting_job(alice, gate)

    row = eventually(lambda: fresh(job) if fresh(job).done else None)
    assert (row.state, row.attempt) == ("running", 1)
    assert (row.total, row.done, row.failed, row.message) == (10, 4, 1, "waiting at the gate")

    gate.touch()
    row = reaches(job, "done")
    assert row.result == {"pid": pid_of(job)}
    assert row.result["pid"] != os.getpid()
    assert (row.error, row.message) == (None, "")
    assert row.finished_at is not None
    assert row.started_at is not None
    assert row.finished_at >= row.started_at >= row.created_at


def test_users_share_the_workers_and_wait_for_their_own_limit(
    alice: User, bob: User, gate: Path, tmp_path: Path, workers: Consumer
) -> None:
    alices = [waiting_job(alice, tmp_path / f"alice-{n}") for n in range(4)]
    for job in alices[:2]:
        reaches(job, "running")
    bobs = waiting_job(bob, gate)

    reaches(bobs, "running")
    assert [fresh(job).state for job in alices[2:]] == ["queued", "queued"]

    (tmp_path / "alice-0").touch()
    reaches(alices[2], "running")
    assert fresh(alices[3]).state == "queued"

    for n in (1, 2, 3):
        (tmp_path / f"alice-{n}").touch()
    reaches(alices[3], "done")
    assert fresh(bobs).state == "running"


def test_a_job_stops_within_two_seconds_of_being_cancelled(
    alice: User, gate: Path, workers: Consumer
) -> None:
    job = waiting_job(alice, gate)
    eventually(lambda: fresh(job).done == 4)
    asked = time.monotonic()

    assert submit.cancel(job)

    row = reaches(job, "cancelled", 2)
    assert time.monotonic() - asked < 2
    assert (row.done, row.failed, row.error) == (4, 1, None)

    assert submit.resume(job)
    assert reaches(job, "running").attempt == 2


def test_a_job_ends_at_its_deadline_and_says_so(alice: User, gate: Path, workers: Consumer) -> None:
    job = waiting_job(alice, gate, deadline_s=0.5)

    row = reaches(job, "failed")

    assert "time limit of 0.5 s" in str(row.error)
    assert (row.finished_at or 0) - (row.started_at or 0) < 2


def test_a_broken_handler_ends_its_job_and_not_its_worker(
    alice: User, gate: Path, workers: Consumer
) -> None:
    broken = submit.submit(alice, "break_down", {}, title="Broken")
    row = reaches(broken, "failed")
    assert "ValueError: no luck" in str(row.error)
    assert "verysecret" not in str(row.error)
    assert str(broken.id) in str(row.error)

    gate.touch()
    reaches(waiting_job(alice, gate), "done")
    assert pid_of(broken) in workers.children()


def test_a_killed_worker_loses_its_job_and_another_resumes_it(
    alice: User, gate: Path, workers: Consumer
) -> None:
    job = waiting_job(alice, gate)
    eventually(lambda: fresh(job).done == 4)
    killed = time.monotonic()

    os.kill(pid_of(job), signal.SIGKILL)

    row = reaches(job, "interrupted", TEST_LEASE_S + 10)
    assert time.monotonic() - killed > TEST_LEASE_S / 2
    assert "worker stopped responding" in str(row.error)
    assert row.done == 4

    gate.touch()
    assert submit.resume(job)
    assert reaches(job, "done").attempt == 2


def test_a_raised_limit_is_noticed(
    alice: User, gate: Path, tmp_path: Path, workers: Consumer
) -> None:
    jobs = [waiting_job(alice, gate) for _ in range(3)]
    for job in jobs[:2]:
        reaches(job, "running")
    assert fresh(jobs[2]).state == "queued"

    User.update(jobs_at_once=3).execute()

    reaches(jobs[2], "running")
