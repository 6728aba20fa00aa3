"""Consumers that start, end, and are killed."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import pytest

from jobs import queue, submit, watchdog
from tests.helpers import eventually
from tests.jobs.conftest import Consumer, fresh, gone, reaches, waiting_job
from webapp.models import User
from webapp.settings import Settings

Consume = Callable[..., Consumer]


def test_the_web_notices_when_all_workers_are_gone(
    alice: User, gate: Path, consume: Consume, studio: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watchdog, "LEASE_S", 1.0)
    consumer = consume(workers=1)
    job = waiting_job(alice, gate)
    reaches(job, "running")

    consumer.kill_all()
    stop = watchdog.start_background(studio, every_s=0.2)

    reaches(job, "interrupted")
    stop()


def test_workers_whose_consumer_was_killed_stop_working(
    alice: User, gate: Path, consume: Consume
) -> None:
    consumer = consume(workers=2)
    job = waiting_job(alice, gate)
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
    job = waiting_job(alice, gate)
    eventually(lambda: fresh(job).done == 4)

    consumer.ask_to_end()

    assert consumer.wait(5) == 0
    row = fresh(job)
    assert (row.state, row.done) == ("interrupted", 4)
    assert "shut down" in str(row.error)


def test_a_wake_up_that_was_lost_is_sent_again(alice: User, gate: Path, consume: Consume) -> None:
    gate.touch()
    job = waiting_job(alice, gate)
    queue.main.storage.flush_queue()

    consume(workers=1)

    reaches(job, "done")


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
    reaches(waiting_job(alice, gate, lane="quick"), "done")
