"""Jobs: the row is the truth, the queue only wakes workers up (design.md, section 5)."""

from __future__ import annotations

import time

from peewee import BooleanField, CharField, DoubleField, ForeignKeyField, IntegerField, TextField

from webapp.models.base import JSONText, Table
from webapp.models.users import User

ACTIVE_STATES = ("queued", "running")
FINAL_STATES = ("done", "failed", "cancelled", "interrupted")


class Job(Table):
    """A piece of work of one user. Times are UTC epoch seconds.

    States: queued, running, done, failed, cancelled, interrupted. `lane` is "main" for
    measured work and "quick" for interactive checks, which have workers of their own.
    `attempt` counts claims: a worker that lost its job finds another attempt number and
    stops writing. `subject` is the id of the row the job fills (a run). `done` counts what
    is finished of `total`, the `failed` ones included.
    """

    user = ForeignKeyField(User, backref="jobs", on_delete="CASCADE")
    user_id: int
    kind = CharField(max_length=40)
    lane = CharField(max_length=8, default="main")
    spec = JSONText()
    subject = IntegerField(null=True)
    title = CharField(max_length=200, default="")
    state = CharField(max_length=12, default="queued")
    total = IntegerField(default=0)
    done = IntegerField(default=0)
    failed = IntegerField(default=0)
    message = TextField(default="")
    error = TextField(null=True)
    result = JSONText(null=True)
    attempt = IntegerField(default=0)
    cancel_requested = BooleanField(default=False)
    worker = CharField(max_length=80, null=True)
    deadline_s = DoubleField(null=True)
    created_at = DoubleField(default=time.time)
    queued_at = DoubleField(default=time.time)
    started_at = DoubleField(null=True)
    heartbeat_at = DoubleField(null=True)
    finished_at = DoubleField(null=True)
    seen = BooleanField(default=False)

    class Meta:
        indexes = ((("state", "lane", "queued_at"), False), (("user", "state"), False))
