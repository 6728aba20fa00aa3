"""Evaluations of tool calling, their trials, and the heavy part of each trial."""

from __future__ import annotations

from typing import Any

from peewee import (
    BlobField,
    BooleanField,
    CharField,
    Database,
    DoubleField,
    ForeignKeyField,
    IntegerField,
    Model,
    TextField,
)


class Frozen(Model):
    class Meta:
        legacy_table_names = False


class User(Frozen):
    """Only its name and key matter here."""


class Job(Frozen):
    """Likewise."""


class SuiteVersion(Frozen):
    """Likewise."""


class Eval(Frozen):
    user = ForeignKeyField(User, on_delete="CASCADE")
    job = ForeignKeyField(Job, null=True, on_delete="SET NULL")
    suite_version = ForeignKeyField(SuiteVersion, null=True, on_delete="SET NULL")
    name = CharField(max_length=200)
    spec = TextField()
    suite = TextField()
    targets = TextField()
    environment = TextField()
    notices = TextField()
    created_at = DoubleField()
    finished_at = DoubleField(null=True)
    deleted_at = DoubleField(null=True)

    class Meta:
        indexes = ((("user", "created_at"), False),)


class TrialRow(Frozen):
    eval = ForeignKeyField(Eval, on_delete="CASCADE")
    case_id = CharField(max_length=200)
    provider = CharField(max_length=80)
    model = CharField(max_length=200)
    trial = IntegerField()
    category = CharField(max_length=80)
    outcome = CharField(max_length=14)
    error = CharField(max_length=20, null=True)
    passed = BooleanField(null=True)
    error_type = CharField(max_length=40, null=True)
    overall = DoubleField(null=True)
    scores = TextField(null=True)
    errors = TextField(null=True)
    recovered = BooleanField()
    rounds = IntegerField()
    input_tokens = IntegerField(null=True)
    output_tokens = IntegerField(null=True)
    cost_usd = DoubleField(null=True)
    ttft_ms = DoubleField(null=True)
    e2e_ms = DoubleField(null=True)
    started_at = DoubleField()
    stored_at = DoubleField()

    class Meta:
        table_name = "trial"
        indexes = ((("eval", "case_id", "provider", "model", "trial"), True),)


class TrialDetail(Frozen):
    trial = ForeignKeyField(TrialRow, unique=True, on_delete="CASCADE")
    message = TextField(null=True)
    reason = TextField()
    diffs = TextField()
    tries = TextField()
    tokens = TextField()
    transcript = BlobField()


TABLES = (Eval, TrialRow, TrialDetail)


def up(migrator: Any, db: Database) -> None:
    """Create the tables."""
    with db.bind_ctx((User, Job, SuiteVersion, *TABLES)):
        db.create_tables(TABLES, safe=False)


def down(migrator: Any, db: Database) -> None:
    """Drop the tables, and all that is in them."""
    with db.bind_ctx((User, Job, SuiteVersion, *TABLES)):
        db.drop_tables(TABLES)
