"""Jobs as pages show them."""

from __future__ import annotations

import time
from typing import Any, NamedTuple

from flask import url_for

from jobs import submit
from webapp.formats import duration
from webapp.models import ACTIVE_STATES, FINAL_STATES, Job, User

BELL_SIZE = 4
PAGE_SIZE = 50
# A shorter wait than this is called soon, in seconds.
SOON_S = 5
STATES = (*ACTIVE_STATES, *FINAL_STATES)
# Where the row that a job fills is looked at: endpoint and the name of its id.
SUBJECT_PAGES = {"benchmark": ("benchmark.show", "run_id"), "tool_eval": ("tools.show", "eval_id")}


class Bell(NamedTuple):
    """What the header shows: active jobs, the last ended ones, and how many of the ended
    ones have not been looked at."""

    active: list[Job]
    ended: list[Job]
    unread: int


def bell(user: User) -> Bell:
    """The bell of `user` now; interactive checks do not ring."""
    mine = (Job.user == user.id) & (Job.lane == "main")
    active = Job.select().where(mine, Job.state.in_(ACTIVE_STATES)).order_by(Job.id)
    over = Job.select().where(mine, Job.state.in_(FINAL_STATES))
    ended = over.order_by(-Job.finished_at, -Job.id).limit(BELL_SIZE)
    unread = over.where(~Job.seen).count()
    return Bell(list(active), list(ended), unread)


def listed(user: User, state: str, before: int | None) -> list[Job]:
    """One page of jobs, newest first; `before` is the last id of the page before."""
    query = Job.select().where(Job.user == user.id, Job.lane == "main")
    if state:
        query = query.where(Job.state == state)
    if before is not None:
        query = query.where(Job.id < before)
    return list(query.order_by(-Job.id).limit(PAGE_SIZE))


def mark_seen(user: User) -> None:
    """All that ended has been looked at."""
    unread = (Job.user == user.id) & Job.state.in_(FINAL_STATES) & ~Job.seen
    Job.update(seen=True).where(unread).execute()


def job_url(job: Job) -> str | None:
    """The page of what a job fills, or None when it has none."""
    if job.kind not in SUBJECT_PAGES or job.subject is None:
        return None
    endpoint, name = SUBJECT_PAGES[job.kind]
    ids: dict[str, Any] = {name: job.subject}
    return url_for(endpoint, **ids)


def starts_in(job: Job) -> str:
    """When a waiting job should start, in words."""
    at = submit.expected_start(job)
    if at is None:
        return "Waits for a worker."
    wait = at - time.time()
    return f"Starts in about {duration(wait)}." if wait >= SOON_S else "Starts soon."


def as_data(job: Job) -> dict[str, Any]:
    """A job for the .json twin; times are UTC epoch seconds."""
    names = ("id", "kind", "title", "state", "done", "total", "failed", "message", "error")
    times = ("created_at", "started_at", "finished_at")
    return {name: getattr(job, name) for name in (*names, *times)} | {"url": job_url(job)}
