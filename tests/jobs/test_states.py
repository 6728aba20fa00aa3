from __future__ import annotations

import subprocess
import sys
import threading
from collections import Counter
from typing import Any

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from jobs import states
from jobs.states import Lease, LostJob
from tests.jobs.conftest import ROOT, fresh
from webapp import db
from webapp.models import FINAL_STATES, Job, User
from webapp.settings import Settings


def _queue(user: User, *, lane: str = "main", **columns: Any) -> Job:
    job: Job = Job.create(user=user, kind="wait", lane=lane, spec={}, **columns)
    return job


def _claim(lane: str = "main") -> Job:
    job = states.claim(lane, "host:1")
    assert job is not None
    return job


def _lease(job: Job) -> Lease:
    return Lease(job.id, job.attempt)


def test_a_claimed_job_runs_under_its_first_attempt(alice: User) -> None:
    job = _queue(alice)

    claimed = _claim()

    row = fresh(job)
    assert (claimed.id, claimed.attempt) == (job.id, 1)
    assert (row.state, row.attempt, row.worker) == ("running", 1, "host:1")
    assert row.started_at == row.heartbeat_at == pytest.approx(job.created_at, abs=5)


def test_nothing_to_do_is_no_claim(alice: User) -> None:
    assert states.claim("main", "host:1") is None


def test_the_user_with_the_fewest_running_jobs_comes_first(alice: User, bob: User) -> None:
    alices = [_queue(alice, queued_at=float(at)) for at in (1, 2, 3)]
    bobs = [_queue(bob, queued_at=float(at)) for at in (4, 5)]

    order = [_claim().id for _ in range(4)]

    assert order == [alices[0].id, bobs[0].id, alices[1].id, bobs[1].id]


def test_a_user_at_their_limit_waits_and_is_never_refused(alice: User) -> None:
    jobs = [_queue(alice, queued_at=float(at)) for at in range(3)]
    first, _ = _claim(), _claim()

    assert states.claim("main", "host:1") is None
    assert fresh(jobs[2]).state == "queued"

    states.finish(_lease(first), "done")
    assert _claim().id == jobs[2].id


def test_a_raised_limit_lets_waiting_jobs_start(alice: User) -> None:
    for at in range(3):
        _queue(alice, queued_at=float(at))
    _claim(), _claim()

    User.update(jobs_at_once=3).execute()

    assert len(states.runnable("main")) == 1
    assert _claim().attempt == 1


def test_lanes_do_not_wait_for_each_other(alice: User) -> None:
    for _ in range(2):
        _queue(alice)
        _claim()
    quick = _queue(alice, lane="quick")

    assert states.claim("main", "host:1") is None
    assert _claim("quick").id == quick.id


def test_jobs_of_a_disabled_user_do_not_start(alice: User) -> None:
    _queue(alice)
    User.update(is_disabled=True).execute()

    assert states.runnable("main") == []
    assert states.claim("main", "host:1") is None


@hypothesis_settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    jobs=st.lists(st.tuples(st.integers(0, 2), st.integers(0, 50)), max_size=14),
    limits=st.tuples(*[st.integers(1, 3)] * 3),
)
def test_runnable_names_exactly_what_can_be_claimed(
    studio: Settings, jobs: list[tuple[int, int]], limits: tuple[int, int, int]
) -> None:
    User.delete().execute()
    users = [
        User.create(email=f"{n}@example.org", password_hash="!", jobs_at_once=limit)
        for n, limit in enumerate(limits)
    ]
    for user, at in jobs:
        _queue(users[user], queued_at=float(at))

    expected = set(states.runnable("main"))
    claimed = []
    while (job := states.claim("main", "host:1")) is not None:
        claimed.append(job)

    assert {job.id for job in claimed} == expected
    assert states.runnable("main") == []
    running = Counter(job.user_id for job in claimed)
    waiting = Counter(job.user_id for job in Job.select().where(Job.state == "queued"))
    for owner in users:
        most = running[owner.id] + waiting[owner.id]
        assert running[owner.id] == min(owner.jobs_at_once, most)


def test_threads_that_race_claim_each_job_once(alice: User, studio: Settings) -> None:
    User.update(jobs_at_once=60).execute()
    jobs = {_queue(alice).id for _ in range(40)}
    claimed: list[int] = []
    start = threading.Barrier(8)

    def race() -> None:
        with db.connection():
            start.wait()
            while (job := states.claim("main", "host:1")) is not None:
                claimed.append(job.id)

    threads = [threading.Thread(target=race) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(claimed) == sorted(jobs)


def test_threads_that_race_never_pass_a_users_limit(alice: User, studio: Settings) -> None:
    for _ in range(20):
        _queue(alice)
    most: list[int] = []
    start = threading.Barrier(6)

    def race() -> None:
        with db.connection():
            start.wait()
            for _ in range(15):
                job = states.claim("main", "host:1")
                most.append(Job.select().where(Job.state == "running").count())
                if job is not None:
                    states.finish(_lease(job), "done")

    threads = [threading.Thread(target=race) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert max(most) <= 2
    assert Job.select().where(Job.state == "done").count() == 20
    assert Job.select().where(Job.attempt != 1).count() == 0


_RACE = """
import sys
from pathlib import Path
from jobs import states
from webapp import db
from webapp.settings import Settings
db.open_database(Settings(data=Path(sys.argv[1])), migrate=False)
with db.connection():
    print("ready", flush=True)
    sys.stdin.readline()
    while (job := states.claim("main", "host:1")) is not None:
        print(job.id, job.attempt)
"""


def test_processes_that_race_claim_each_job_once(alice: User, studio: Settings) -> None:
    User.update(jobs_at_once=200).execute()
    jobs = sorted(_queue(alice).id for _ in range(120))
    racers = [
        subprocess.Popen(
            [sys.executable, "-c", _RACE, str(studio.data)],
            cwd=ROOT,
            text=True,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        for _ in range(3)
    ]
    for racer in racers:
        assert racer.stdout is not None
        assert racer.stdout.readline() == "ready\n"
    answers = [racer.communicate("go\n", timeout=30)[0].split("\n")[:-1] for racer in racers]

    claimed = sorted(int(line.split()[0]) for lines in answers for line in lines)
    assert claimed == jobs
    assert {line.split()[1] for lines in answers for line in lines} == {"1"}


def test_a_lease_of_an_earlier_attempt_writes_nothing(alice: User) -> None:
    job = _queue(alice)
    old = _lease(_claim())
    states.end_lost(-1)
    states.requeue(job.id)
    new = _lease(_claim())

    for write in (
        lambda: states.renew(old, done=7),
        lambda: states.finish(old, "done"),
        lambda: states.cancel_wanted(old),
    ):
        with pytest.raises(LostJob):
            write()
    states.renew(new, done=3)
    assert (fresh(job).done, fresh(job).state, new.attempt) == (3, "running", 2)


def test_a_waiting_job_is_cancelled_at_once(alice: User) -> None:
    job = _queue(alice)

    assert states.cancel(job.id)
    assert fresh(job).state == "cancelled"
    assert fresh(job).finished_at is not None
    assert states.claim("main", "host:1") is None


def test_a_running_job_is_asked_to_stop(alice: User) -> None:
    job = _queue(alice)
    lease = _lease(_claim())
    assert not states.cancel_wanted(lease)

    assert states.cancel(job.id)

    assert fresh(job).state == "running"
    assert states.cancel_wanted(lease)


@pytest.mark.parametrize("state", FINAL_STATES)
def test_an_ended_job_cannot_be_cancelled(alice: User, state: str) -> None:
    job = _queue(alice, state=state)

    assert not states.cancel(job.id)
    assert fresh(job).state == state


@pytest.mark.parametrize(
    ("state", "can"),
    [
        ("queued", False),
        ("running", False),
        ("done", False),
        ("failed", True),
        ("cancelled", True),
        ("interrupted", True),
    ],
)
def test_what_ended_early_can_be_resumed(alice: User, state: str, can: bool) -> None:
    columns: dict[str, Any] = {
        "error": "no",
        "finished_at": 1.0,
        "cancel_requested": True,
        "seen": True,
    }
    job = _queue(alice, state=state, queued_at=1.0, **columns)

    assert states.requeue(job.id) is can

    row = fresh(job)
    assert row.state == ("queued" if can else state)
    if can:
        assert (row.error, row.finished_at, row.cancel_requested) == (None, None, False)
        assert not row.seen
        assert row.queued_at > 1.0


def test_a_silent_worker_loses_its_job(alice: User, bob: User) -> None:
    silent, alive, stopping = _queue(alice), _queue(alice), _queue(bob)
    for _ in range(3):
        _claim()
    Job.update(heartbeat_at=db.now() - 31).where(Job.id != alive.id).execute()
    states.cancel(stopping.id)

    lost = states.end_lost(30)

    assert {job.id for job in lost} == {silent.id, stopping.id}
    assert fresh(alive).state == "running"
    assert (fresh(silent).state, fresh(silent).error) == ("interrupted", states.WORKER_LOST)
    assert (fresh(stopping).state, fresh(stopping).error) == ("cancelled", None)
    assert states.end_lost(30) == []


def test_an_end_is_news_to_its_owner(alice: User) -> None:
    job = _queue(alice, seen=True)
    lease = _lease(_claim())

    states.finish(lease, "failed", error="why", result=None)

    row = fresh(job)
    assert (row.state, row.error, row.seen) == ("failed", "why", False)
    assert row.finished_at is not None
