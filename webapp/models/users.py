"""People."""

from __future__ import annotations

import time
from typing import Any

from peewee import BooleanField, CharField, DoubleField, IntegerField

from webapp.models.base import JSONText, Table


class User(Table):
    """A person. `email` is stored lower-case; `session_epoch` grows to end all sessions.

    `seeded` names what of config.yaml this user has been given ("demo", "demo/fast-small"),
    so that what they deleted stays deleted at the next start.
    """

    email = CharField(max_length=254, unique=True)
    password_hash = CharField(max_length=255)
    is_admin = BooleanField(default=False)
    is_disabled = BooleanField(default=False)
    theme = CharField(max_length=8, default="system")
    session_epoch = IntegerField(default=0)
    jobs_at_once = IntegerField(default=2)
    seeded = JSONText(default=list)
    created_at = DoubleField(default=time.time)

    # Rows that name this user, as queries.
    providers: Any
    keys: Any
    jobs: Any
    runs: Any
    suites: Any
    audit: Any

    # What Flask-Login asks of a user; the session remembers `get_id`.
    is_authenticated = True
    is_anonymous = False

    @property
    def is_active(self) -> bool:
        return not self.is_disabled

    def get_id(self) -> str:
        return f"{self.id}.{self.session_epoch}"
