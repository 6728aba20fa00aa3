"""What the start page shows of a user's work."""

from __future__ import annotations

from typing import Any

from peewee import JOIN

from webapp.models import ACTIVE_STATES, Job, Run, User

LAST_RUNS = 5


def overview(user: User) -> dict[str, Any]:
    """Active jobs, the last finished runs, and whether there is anything at all."""
    runs = (
        Run.select(Run, Job)
        .join(Job, JOIN.LEFT_OUTER, on=(Run.job == Job.id))
        .where(Run.user == user.id, Run.deleted_at.is_null())
        .order_by(-Run.created_at, -Run.id)
        .limit(LAST_RUNS)
    )
    return {"runs": list(runs), "jobs": active_jobs(user)}


def active_jobs(user: User) -> list[Job]:
    """Waiting and running jobs, oldest first."""
    chosen = Job.select().where(Job.user == user.id, Job.state.in_(ACTIVE_STATES))
    return list(chosen.where(Job.lane == "main").order_by(Job.id))
