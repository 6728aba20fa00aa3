"""One attempt, run in this process; real workers are in test_workers.py."""

from __future__ import annotations

import logging
import os
import signal
import sys
import threading
import types
from collections.abc import Callable
from typing import Any

import pytest

from engine.cancel import Cancelled
from engine.specs import SPECS, BenchmarkSpec
from jobs import queue, runner, states, submit
from jobs.handlers import HANDLERS
from jobs.progress import Context
from tests.helpers import eventually
from tests.jobs.conftest import fresh
from webapp import db
from webapp.models import Job, User
from webapp.settings import Settings

Handle = Callable[[Context], dict[str, Any]]
RunAs = Callable[[Handle], Job]


@pytest.fixture
def run_as(alice: User, monkeypatch: pytest.MonkeyPatch) -> RunAs:
    """Submit one job, run it by the given handler, and return its row."""

    def run(handle: Handle, **options: Any) -> Job:
        module = types.ModuleType("tests.jobs.doubles.given")
        module.__dict__["handle"] = handle
        monkeypatch.setitem(sys.modules, module.__name__, module)
        monkeypatch.setitem(HANDLERS, "given", module.__name__)
        job = submit.submit(alice, "given", {"word": "so"}, title="Given", **options)
        runner.run_next(job.lane)
        return fresh(job)

    return run


def test_a_handler_gets_its_job_spec_and_settings(run_as: RunAs, studio: Settings) -> None:
    def handle(context: Context) -> dict[str, Any]:
        return {
            "job": context.job.title,
            "spec": context.spec,
            "data": str(context.settings.data),
            "reason": context.cancel.reason,
            "state": Job.get_by_id(context.job.id).state,
        }

    row = run_as(handle)

    assert row.state == "done"
    assert row.result == {
        "job": "Given",
        "spec": {"word": "so"},
        "data": str(studio.data),
        "reason": None,
        "state": "running",
    }


def test_a_kind_with_a_spec_gets_the_spec_object(
    run_as: RunAs, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[Any] = []
    monkeypatch.setitem(SPECS, "given", BenchmarkSpec)
    monkeypatch.setattr(runner, "load_spec", lambda data: ("loaded", data))

    def handle(context: Context) -> dict[str, Any]:
        seen.append(context.spec)
        return {}

    run_as(handle)

    assert seen == [("loaded", {"word": "so"})]


def test_a_stored_spec_that_is_no_longer_valid_fails_the_job(alice: User) -> None:
    job = submit.submit(alice, "benchmark", {"kind": "benchmark", "runs": 0}, title="Old")

    runner.run_next("main")

    assert fresh(job).state == "failed"
    assert "ValidationError" in str(fresh(job).error)


def test_an_unknown_kind_says_so(alice: User) -> None:
    job = submit.submit(alice, "astrology", {}, title="Unknown")

    runner.run_next("main")

    row = fresh(job)
    assert row.state == "failed"
    assert row.error == "This installation has no handler for jobs of kind 'astrology'."


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("refuse", "The run of this job has been deleted."),
        ("odd", "Out of range float values are not JSON compliant"),
        ("break_down", "An error in the program stopped this job (ValueError: no luck"),
    ],
)
def test_what_a_handler_raises_becomes_a_sentence(alice: User, kind: str, words: str) -> None:
    job = submit.submit(alice, kind, {}, title="Fails")

    runner.run_next("main")

    row = fresh(job)
    assert row.state == "failed"
    assert words in str(row.error)
    assert row.result is None


def test_the_log_has_the_traceback_without_the_secret(
    alice: User, caplog: pytest.LogCaptureFixture
) -> None:
    job = submit.submit(alice, "break_down", {}, title="Fails")

    with caplog.at_level(logging.ERROR):
        runner.run_next("main")

    assert f"job {job.id} (break_down) failed" in caplog.text
    assert "break_down.py" in caplog.text
    assert "verysecret" not in caplog.text + str(fresh(job).error)


@pytest.mark.parametrize(("reason", "state"), [("cancelled", "cancelled"), ("deadline", "failed")])
def test_a_handler_that_stopped_early_ends_by_its_reason(
    run_as: Any, reason: str, state: str
) -> None:
    def handle(context: Context) -> dict[str, Any]:
        context.progress(total=9, done=5)
        raise Cancelled(reason)

    row = run_as(handle, deadline_s=60.0)

    assert (row.state, row.total, row.done) == (state, 9, 5)


def test_work_that_was_finished_when_the_user_cancelled_is_done(run_as: RunAs) -> None:
    def handle(context: Context) -> dict[str, Any]:
        submit.cancel(context.job)
        eventually(lambda: context.cancel.reason, 2)
        return {"all": True}

    assert run_as(handle).state == "done"


def test_a_worker_told_to_end_interrupts_its_job(run_as: RunAs) -> None:
    before = signal.getsignal(signal.SIGTERM)

    def handle(context: Context) -> dict[str, Any]:
        os.kill(os.getpid(), signal.SIGTERM)
        eventually(lambda: context.cancel.reason, 2)
        context.cancel.check()
        return {}

    row = run_as(handle)

    assert (row.state, row.error) == ("interrupted", runner.WORKER_STOPPED)
    assert signal.getsignal(signal.SIGTERM) is before


def test_a_worker_thrown_out_of_its_job_leaves_it_interrupted(run_as: RunAs, alice: User) -> None:
    def handle(context: Context) -> dict[str, Any]:
        context.progress(done=3)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_as(handle)

    row = Job.get()
    assert (row.state, row.done, row.error) == ("interrupted", 3, runner.WORKER_STOPPED)


def test_a_quick_check_that_hangs_is_stopped(alice: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runner, "GRACE_S", 0.1)
    job = submit.submit(alice, "stubborn", {}, title="Hangs", lane="quick", deadline_s=0.1)

    runner.run_next("quick")

    assert fresh(job).state == "failed"
    assert "time limit of 0.1 s" in str(fresh(job).error)
    assert signal.getitimer(signal.ITIMER_REAL) == (0.0, 0.0)


def test_an_end_that_comes_too_late_changes_nothing(
    run_as: RunAs, caplog: pytest.LogCaptureFixture
) -> None:
    def handle(context: Context) -> dict[str, Any]:
        states.end_lost(-1)
        eventually(lambda: context.cancel.reason, 2)
        return {"late": True}

    with caplog.at_level(logging.WARNING):
        row = run_as(handle)

    assert (row.state, row.result) == ("interrupted", None)
    assert "no longer ours" in caplog.text


def test_progress_is_on_screen_while_the_handler_works(run_as: RunAs) -> None:
    seen: list[Job] = []

    def handle(context: Context) -> dict[str, Any]:
        for done in range(500):
            context.progress(done=done, message=f"step {done}")
        eventually(lambda: fresh(context.job).done == 499, 1)
        seen.append(fresh(context.job))
        return {}

    row = run_as(handle)

    assert seen[0].message == "step 499"
    assert (row.done, row.message) == (499, "")


def test_a_heartbeat_is_written_while_the_handler_works(
    run_as: RunAs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("jobs.progress.HEARTBEAT_S", 0.1)
    monkeypatch.setattr("jobs.progress.POLL_S", 0.05)

    def handle(context: Context) -> dict[str, Any]:
        first = fresh(context.job).heartbeat_at or 0.0
        eventually(lambda: (fresh(context.job).heartbeat_at or 0.0) > first + 0.2, 3)
        return {}

    assert run_as(handle).state == "done"


def test_no_thread_outlives_the_job(run_as: RunAs) -> None:
    before = threading.active_count()

    run_as(lambda context: {})

    assert threading.active_count() == before


def test_whoever_finishes_a_job_wakes_a_worker_for_the_next(alice: User) -> None:
    User.update(jobs_at_once=1).execute()
    for _ in range(3):
        submit.submit(alice, "refuse", {}, title="Next")
    queue.main.storage.flush_queue()

    runner.run_next("main")

    assert queue.pending("main") == 1


def test_a_wake_up_without_work_is_no_error(studio: Settings) -> None:
    runner.run_next("main")

    assert queue.pending("main") == 0


def test_the_fairest_job_runs_whichever_was_woken_for(alice: User, bob: User) -> None:
    Job.create(user=alice, kind="wait", spec={}, state="running", heartbeat_at=db.now())
    alices = submit.submit(alice, "refuse", {}, title="Second of Alice")
    bobs = submit.submit(bob, "refuse", {}, title="First of Bob")

    runner.run_next("main")

    assert (fresh(alices).state, fresh(bobs).state) == ("queued", "failed")
