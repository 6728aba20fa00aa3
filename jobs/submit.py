"""What the web, the API and schedules do with jobs: submit, cancel, resume, forecast."""

from __future__ import annotations

import heapq
import logging
import sqlite3
import statistics
import time
from collections.abc import Callable
from functools import cache, partial
from typing import Any

from engine.specs import Spec
from jobs import queue, states
from jobs.timing import QUICK_DEADLINE_S
from webapp import db
from webapp.models import Eval, Job, Run, User

log = logging.getLogger(__name__)

# How many ended jobs of one kind a forecast looks back on.
RECENT_JOBS = 20


def submit(
    user: User,
    kind: str,
    spec: Spec | dict[str, Any],
    *,
    title: str,
    lane: str = "main",
    subject: int | None = None,
    fills: Run | Eval | None = None,
    deadline_s: float | None = None,
) -> Job:
    """Store a job and wake a worker; returns the stored row, state "queued".

    `fills` is the unsaved row that the job will fill: it is stored in the same transaction,
    points to the job, and its id becomes the job's `subject`. `deadline_s` counts from the
    moment a worker starts the job. Never refuses: a job above its user's limit waits.
    """
    if db.database.in_transaction():
        raise RuntimeError("submit() was called inside a transaction; no worker can see the row")
    if lane == "quick":
        deadline_s = min(deadline_s or QUICK_DEADLINE_S, QUICK_DEADLINE_S)
    with db.write():
        job = Job.create(
            user=user,
            kind=kind,
            lane=lane,
            spec=spec.model_dump(mode="json") if isinstance(spec, Spec) else spec,
            subject=subject,
            title=title[:200],
            deadline_s=deadline_s,
        )
        if fills is not None:
            fills.job = job
            fills.save(force_insert=True)
            job.subject = fills.id
            job.save(only=[Job.subject])
    _wake(job)
    return job


def cancel(job: Job) -> bool:
    """Cancel a waiting job at once; ask a running one to stop (it does within 2 s and keeps
    what it has). False when the job had already ended."""
    return states.cancel(job.id)


def resume(
    job: Job,
    among: tuple[str, ...] = states.RESUMABLE,
    forget: Callable[[], object] | None = None,
) -> bool:
    """Queue a failed, cancelled or interrupted job again; what is stored is not repeated.
    False when the job is in none of the states `among`, or what it filled has been deleted.

    `forget` marks what shall be repeated all the same, in the same transaction.
    """
    if job.subject is not None and job.kind in FILLED and not _still_there(job):
        return False
    with db.write():
        if not states.requeue(job.id, among):
            return False
        if forget is not None:
            forget()
    _wake(job)
    return True


# The table that jobs of a kind fill.
FILLED: dict[str, type[Run | Eval]] = {"benchmark": Run, "tool_eval": Eval}


def _still_there(job: Job) -> bool:
    row = FILLED[job.kind]
    there = (row.id == job.subject) & (row.job == job.id) & row.deleted_at.is_null()
    return row.select().where(there).exists()


def _wake(job: Job) -> None:
    try:
        queue.wake(job.lane, job.id)
    except sqlite3.OperationalError:
        # The row is stored, so the next sweep wakes a worker for it.
        log.warning("no wake-up for job %s: the queue is locked", job.id)


def expected_start(job: Job) -> float | None:
    """When a waiting job should start, as UTC epoch seconds; None when nothing is known.

    Assumes that its user's jobs run in order, as many at once as the limit allows, each as
    long as the median of the last jobs of its kind (a running one as its progress says).
    """
    if job.state != "queued":
        return job.started_at
    now = time.time()
    mine = (Job.user == job.user_id) & (Job.lane == job.lane)
    usual = cache(partial(_usual_duration, job.user_id))
    ends = [_expected_end(other, now, usual) for other in _select(mine, "running")]
    place = (job.queued_at, job.id)
    queued = _select(mine, "queued")
    ahead = [usual(other.kind) for other in queued if (other.queued_at, other.id) < place]
    free = max(job.user.jobs_at_once - len(ends), 0)
    slots = [now] * free + [end for end in ends if end is not None]
    if len(slots) < free + len(ends) or None in ahead or not slots:
        return None
    return _next_free(slots, [duration for duration in ahead if duration is not None])


def _next_free(slots: list[float], durations: list[float]) -> float:
    heapq.heapify(slots)
    for duration in durations:
        heapq.heapreplace(slots, slots[0] + duration)
    return slots[0]


def _select(mine: Any, state: str) -> list[Job]:
    # Specs can be long, and nothing here reads them.
    columns = (Job.id, Job.kind, Job.queued_at, Job.started_at, Job.done, Job.total)
    return list(Job.select(*columns).where(mine & (Job.state == state)))


def _expected_end(job: Job, now: float, usual: Callable[[str], float | None]) -> float | None:
    started = job.started_at or now
    if job.done and job.total:
        return max(now, started + (now - started) * job.total / job.done)
    duration = usual(job.kind)
    return None if duration is None else max(now, started + duration)


def _usual_duration(user_id: int, kind: str) -> float | None:
    recent = (
        Job.select(Job.started_at, Job.finished_at)
        .where((Job.kind == kind) & (Job.user == user_id) & (Job.state == "done"))
        .order_by(Job.finished_at.desc())
        .limit(RECENT_JOBS)
    )
    durations = [(row.finished_at or 0) - (row.started_at or 0) for row in recent]
    return statistics.median(durations) if durations else None
