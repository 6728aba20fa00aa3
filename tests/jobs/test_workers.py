"""The rules of jobs, kept by real consumers and seen from outside."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from jobs import queue, submit, watchdog
from tests.helpers import eventually
from tests.jobs.conftest import TEST_LEASE_S, Consumer, fresh, gone, pid_of, reaches
from webapp.models import Job, User
from webapp.settings import Settings

Consume = Callable[..., Consumer]


@pytest.fixture
def gate(tmp_path: Path) -> Path:
    """Jobs of kind "wait" end when this file appears."""
    return tmp_path / "gate"


def _submit(user: User, gate: Path, **options: object) -> Job:
    return submit.submit(user, "wait", {"gate": str(gate)}, title="Waiting", **options)  # type: ignore[arg-type]


def test_a_submitted_job_is_run_by_a_worker_process(
    alice: User, gate: Path, consume: Consume
) -> None:
    consume()
    job = _submit(alice, gate)

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
    alice: User, bob: User, gate: Path, tmp_path: Path, consume: Consume
) -> None:
    consume(workers=3)
    alices = [_submit(alice, tmp_path / f"alice-{n}") for n in range(4)]
    for job in alices[:2]:
        reaches(job, "running")
    bobs = _submit(bob, gate)

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
    alice: User, gate: Path, consume: Consume
) -> None:
    consume(workers=1)
    job = _submit(alice, gate)
    eventually(lambda: fresh(job).done == 4)
    asked = time.monotonic()

    assert submit.cancel(job)

    row = reaches(job, "cancelled", 2)
    assert time.monotonic() - asked < 2
    assert (row.done, row.failed, row.error) == (4, 1, None)

    assert submit.resume(job)
    assert reaches(job, "running").attempt == 2


def test_a_job_ends_at_its_deadline_and_says_so(alice: User, gate: Path, consume: Consume) -> None:
    consume(workers=1)
    job = _submit(alice, gate, deadline_s=0.5)

    row = reaches(job, "failed")

    assert "time limit of 0.5 s" in str(row.error)
    assert (row.finished_at or 0) - (row.started_at or 0) < 2


def test_a_broken_handler_ends_its_job_and_not_its_worker(
    alice: User, gate: Path, consume: Consume
) -> None:
    consume(workers=1)
    broken = submit.submit(alice, "break_down", {}, title="Broken")
    row = reaches(broken, "failed")
    assert "ValueError: no luck" in str(row.error)
    assert "verysecret" not in str(row.error)
    assert str(broken.id) in str(row.error)

    gate.touch()
    next_job = _submit(alice, gate)
    assert pid_of(reaches(next_job, "done")) == pid_of(broken)


def test_a_killed_worker_loses_its_job_and_another_resumes_it(
    alice: User, gate: Path, consume: Consume
) -> None:
    consume(workers=1)
    job = _submit(alice, gate)
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


def test_the_web_notices_when_all_workers_are_gone(
    alice: User, gate: Path, consume: Consume, studio: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watchdog, "LEASE_S", 1.0)
    consumer = consume(workers=1)
    job = _submit(alice, gate)
    reaches(job, "running")

    consumer.kill_all()
    stop = watchdog.start_background(studio, every_s=0.2)

    reaches(job, "interrupted")
    stop()


def test_workers_whose_consumer_was_killed_stop_working(
    alice: User, gate: Path, consume: Consume
) -> None:
    consumer = consume(workers=2)
    job = _submit(alice, gate)
    reaches(job, "running")
    children = consumer.children()
    assert len(children) == 3

    consumer.kill()

    row = reaches(job, "interrupted", 3)
    assert "shut down" in str(row.error)
    eventually(lambda: all(gone(pid) for pid in children), 5)


def test_a_worker_that_is_told_to_end_hands_its_job_back(
    alice: User, gate: Path, consume: Consume
) -> None:
    consumer = consume(workers=1)
    job = _submit(alice, gate)
    eventually(lambda: fresh(job).done == 4)

    consumer.ask_to_end()

    assert consumer.wait(5) == 0
    row = fresh(job)
    assert (row.state, row.done) == ("interrupted", 4)
    assert "shut down" in str(row.error)


def test_a_wake_up_that_was_lost_is_sent_again(alice: User, gate: Path, consume: Consume) -> None:
    gate.touch()
    job = _submit(alice, gate)
    queue.main.storage.flush_queue()

    consume(workers=1)

    reaches(job, "done")


def test_a_raised_limit_is_noticed(
    alice: User, gate: Path, tmp_path: Path, consume: Consume
) -> None:
    consume(workers=3)
    jobs = [_submit(alice, gate) for _ in range(3)]
    for job in jobs[:2]:
        reaches(job, "running")
    assert fresh(jobs[2]).state == "queued"

    User.update(jobs_at_once=3).execute()

    reaches(jobs[2], "running")


def test_quick_checks_start_at_once_and_end_by_themselves(
    alice: User, gate: Path, consume: Consume
) -> None:
    consume("quick", workers=1)
    eventually(lambda: queue.beat_age_s("quick") is not None)
    stubborn = submit.submit(alice, "stubborn", {}, title="Key test", lane="quick", deadline_s=0.2)

    row = reaches(stubborn, "failed", 5)

    assert (row.started_at or 0) - row.queued_at < 1
    assert "time limit of 0.2 s" in str(row.error)
    gate.touch()
    reaches(_submit(alice, gate, lane="quick"), "done")


def test_a_consumer_says_that_it_lives(studio: Settings, consume: Consume) -> None:
    assert queue.beat_age_s("main") is None

    consume(workers=1)

    eventually(lambda: queue.beat_age_s("main") is not None)
    first = _last_beat()
    assert first == pytest.approx(time.time(), abs=5)
    eventually(lambda: _last_beat() > first)


def _last_beat() -> float:
    age = queue.beat_age_s("main")
    assert age is not None
    return round(time.time() - age, 1)
