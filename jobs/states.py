"""Every change of a job's state: one UPDATE that names the state it expects.

    queued -> running -> done | failed | cancelled | interrupted -> queued (resume)

All times are the database's. A claim hands out a `Lease`; whatever the worker writes
afterwards holds only while the job is still running under that attempt number, so a worker
that was taken for dead cannot disturb the one that came after it. docs/jobs.md tells more.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from peewee import Case, Expression, fn

from webapp import db
from webapp.models import Job, User

WORKER_LOST = (
    "The worker stopped responding. What was measured is kept; resume runs only what is missing."
)
RESUMABLE = ("failed", "cancelled", "interrupted")


class LostJob(Exception):
    """This worker no longer holds the job: it was taken for dead, or the job is gone."""


class Lease(NamedTuple):
    """The right to write to a running job; `attempt` fences off earlier holders."""

    job_id: int
    attempt: int

    @property
    def holds(self) -> Expression:
        """The condition under which this lease may write."""
        return (Job.id == self.job_id) & (Job.state == "running") & (Job.attempt == self.attempt)


def claim(lane: str, worker: str) -> Job | None:
    """Take the fairest runnable job of `lane`, or None: of the users below their own limit
    the one with the fewest running jobs in this lane, then the job that waited longest."""
    waiting = Job.alias("waiting")
    running = _running_of(waiting.user, lane)
    fairest = (
        waiting.select(waiting.id)
        .join(User, on=(waiting.user == User.id))
        .where(
            (waiting.state == "queued")
            & (waiting.lane == lane)
            & ~User.is_disabled
            & (running < User.jobs_at_once)
        )
        .order_by(running, waiting.queued_at, waiting.id)
        .limit(1)
    )
    taken = Job.update(
        state="running",
        attempt=Job.attempt + 1,
        worker=worker,
        started_at=db.now(),
        heartbeat_at=db.now(),
        cancel_requested=False,
    ).where((Job.state == "queued") & (Job.id == fairest))
    return next(iter(taken.returning(Job).execute()), None)


def runnable(lane: str) -> list[int]:
    """Ids of the jobs that could be claimed right now, users' limits counted."""
    place = fn.ROW_NUMBER().over(partition_by=[Job.user], order_by=[Job.queued_at, Job.id])
    waiting = (
        Job.select(Job.id, place.alias("place"), Job.user.alias("owner"))
        .where((Job.state == "queued") & (Job.lane == lane))
        .alias("waiting")
    )
    query = (
        Job.select(waiting.c.id)
        .from_(waiting)
        .join(User, on=(User.id == waiting.c.owner))
        .where(
            ~User.is_disabled
            & (waiting.c.place + _running_of(waiting.c.owner, lane) <= User.jobs_at_once)
        )
    )
    rows: Any = query.tuples()
    return [job_id for (job_id,) in rows]


def _running_of(user: Any, lane: str) -> Any:
    other = Job.alias("other")
    return other.select(fn.COUNT(other.id)).where(
        (other.user == user) & (other.lane == lane) & (other.state == "running")
    )


def renew(lease: Lease, **changes: Any) -> None:
    """Write `changes` and a heartbeat; raises LostJob when the lease no longer holds."""
    if not Job.update(heartbeat_at=db.now(), **changes).where(lease.holds).execute():
        raise LostJob(f"job {lease.job_id}, attempt {lease.attempt}")


def cancel_wanted(lease: Lease) -> bool:
    """True when the user asked this running job to stop; raises LostJob like `renew`."""
    row = Job.select(Job.cancel_requested).where(lease.holds).tuples().first()
    if row is None:
        raise LostJob(f"job {lease.job_id}, attempt {lease.attempt}")
    return bool(row[0])


def finish(lease: Lease, state: str, **changes: Any) -> None:
    """End the attempt in `state`; raises LostJob when the lease no longer holds."""
    renew(lease, state=state, finished_at=db.now(), seen=False, **changes)


def cancel(job_id: int) -> bool:
    """Cancel a queued job at once, ask a running one to stop; False when it had ended."""
    queued = (Job.id == job_id) & (Job.state == "queued")
    running = (Job.id == job_id) & (Job.state == "running")
    with db.write():
        ended = Job.update(state="cancelled", finished_at=db.now(), seen=False).where(queued)
        asked = Job.update(cancel_requested=True).where(running)
        return bool(ended.execute() or asked.execute())


def requeue(job_id: int, among: tuple[str, ...] = RESUMABLE) -> bool:
    """Queue an ended job again, keeping what it stored; False unless its state is `among`
    these."""
    again = Job.update(
        state="queued",
        queued_at=db.now(),
        finished_at=None,
        error=None,
        cancel_requested=False,
        seen=False,
    )
    return bool(again.where((Job.id == job_id) & Job.state.in_(among)).execute())


def end_lost(lease_s: float) -> list[Job]:
    """End the running jobs whose last heartbeat is older than `lease_s` seconds, and return
    them: interrupted, or cancelled where the user had asked for that."""
    lost = Job.update(
        state=Case(None, [(Job.cancel_requested, "cancelled")], "interrupted"),
        error=Case(None, [(Job.cancel_requested, None)], WORKER_LOST),
        finished_at=db.now(),
        seen=False,
    ).where((Job.state == "running") & (Job.heartbeat_at < db.now() - lease_s))
    return list(lost.returning(Job).execute())
