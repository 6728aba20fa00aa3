"""Suites of tool calling, and their versions."""

from __future__ import annotations

import time
from typing import Any

from peewee import CharField, DoubleField, ForeignKeyField, IntegerField

from webapp.models.base import JSONText, Table
from webapp.models.users import User


class SuiteRow(Table):
    """A suite of one user. `name`, `tools` and `cases` repeat what lists show of the latest
    version, whose number is `number`. `deleted_at` marks a suite in its undo period."""

    user = ForeignKeyField(User, backref="suites", on_delete="CASCADE")
    user_id: int
    versions: Any
    name = CharField(max_length=120)
    number = IntegerField(default=0)
    tools = IntegerField(default=0)
    cases = IntegerField(default=0)
    created_at = DoubleField(default=time.time)
    updated_at = DoubleField(default=time.time)
    deleted_at = DoubleField(null=True)

    class Meta:
        table_name = "suite"
        indexes = ((("user", "updated_at"), False),)


class SuiteVersion(Table):
    """One version of a suite, never changed once it is stored: `content` is the document
    "studio.suite/1", `number` counts from 1, `note` says in words what made it."""

    suite = ForeignKeyField(SuiteRow, backref="versions", on_delete="CASCADE")
    suite_id: int
    number = IntegerField()
    content = JSONText()
    note = CharField(max_length=200, default="")
    created_at = DoubleField(default=time.time)

    class Meta:
        indexes = ((("suite", "number"), True),)
