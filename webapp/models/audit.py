"""Who did what, when."""

from __future__ import annotations

import time

from peewee import CharField, DoubleField, ForeignKeyField, TextField

from webapp.models.base import Table
from webapp.models.users import User


class AuditEntry(Table):
    """One act worth remembering; `action` is a dotted word such as `key.set`."""

    user = ForeignKeyField(User, backref="audit", null=True, on_delete="SET NULL")
    user_id: int | None
    action = CharField(max_length=40)
    detail = TextField(default="")
    address = CharField(max_length=64, default="")
    at = DoubleField(default=time.time, index=True)
