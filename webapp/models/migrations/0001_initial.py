"""People, providers, jobs, runs and samples.

The classes are frozen copies: later changes of `webapp.models` come as later migrations
and leave this file alone.
"""

from __future__ import annotations

from typing import Any

from peewee import (
    BigIntegerField,
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
    email = CharField(max_length=254, unique=True)
    password_hash = CharField(max_length=255)
    is_admin = BooleanField()
    is_disabled = BooleanField()
    theme = CharField(max_length=8)
    session_epoch = IntegerField()
    jobs_at_once = IntegerField()
    seeded = TextField()
    created_at = DoubleField()


class Provider(Frozen):
    user = ForeignKeyField(User, on_delete="CASCADE")
    key = CharField(max_length=80)
    display_name = CharField(max_length=120)
    model_id_prefix = CharField(max_length=80)
    api_base = TextField(null=True)
    origin = CharField(max_length=8)
    position = IntegerField()
    created_at = DoubleField()

    class Meta:
        indexes = ((("user", "key"), True),)


class ModelEntry(Frozen):
    provider = ForeignKeyField(Provider, on_delete="CASCADE")
    model_id = CharField(max_length=200)
    display_name = CharField(max_length=200)
    context_window = IntegerField(null=True)
    max_output_tokens = IntegerField(null=True)
    skip_params = TextField()
    input_cost_per_mtok = DoubleField(null=True)
    output_cost_per_mtok = DoubleField(null=True)
    system_prompt = TextField()
    enabled = BooleanField()
    position = IntegerField()

    class Meta:
        indexes = ((("provider", "model_id"), True),)


class ApiKey(Frozen):
    provider = ForeignKeyField(Provider, unique=True, on_delete="CASCADE")
    user = ForeignKeyField(User, on_delete="CASCADE")
    token = BlobField()
    last4 = CharField(max_length=4)
    updated_at = DoubleField()


class Job(Frozen):
    user = ForeignKeyField(User, on_delete="CASCADE")
    kind = CharField(max_length=40)
    lane = CharField(max_length=8)
    spec = TextField()
    subject = IntegerField(null=True)
    title = CharField(max_length=200)
    state = CharField(max_length=12)
    total = IntegerField()
    done = IntegerField()
    failed = IntegerField()
    message = TextField()
    error = TextField(null=True)
    result = TextField(null=True)
    attempt = IntegerField()
    cancel_requested = BooleanField()
    worker = CharField(max_length=80, null=True)
    deadline_s = DoubleField(null=True)
    created_at = DoubleField()
    queued_at = DoubleField()
    started_at = DoubleField(null=True)
    heartbeat_at = DoubleField(null=True)
    finished_at = DoubleField(null=True)
    seen = BooleanField()

    class Meta:
        indexes = ((("state", "lane", "queued_at"), False), (("user", "state"), False))


class Run(Frozen):
    user = ForeignKeyField(User, on_delete="CASCADE")
    job = ForeignKeyField(Job, null=True, on_delete="SET NULL")
    name = CharField(max_length=200)
    spec = TextField()
    targets = TextField()
    environment = TextField()
    notices = TextField()
    levels = TextField()
    created_at = DoubleField()
    finished_at = DoubleField(null=True)
    deleted_at = DoubleField(null=True)

    class Meta:
        indexes = ((("user", "created_at"), False),)


class SampleRow(Frozen):
    run = ForeignKeyField(Run, on_delete="CASCADE")
    provider = CharField(max_length=80)
    model = CharField(max_length=200)
    context_tokens = IntegerField()
    run_index = IntegerField()
    warmup = BooleanField()
    level = CharField(max_length=16)
    outcome = CharField(max_length=12)
    error = CharField(max_length=20, null=True)
    message = TextField(null=True)
    tries = TextField()
    start_ns = BigIntegerField()
    started_at = DoubleField()
    delay_ms = DoubleField(null=True)
    connect_ms = DoubleField(null=True)
    tls_ms = DoubleField(null=True)
    ttft_ms = DoubleField(null=True)
    ttfa_ms = DoubleField(null=True)
    e2e_ms = DoubleField(null=True)
    total_ms = DoubleField(null=True)
    tpot_ms = DoubleField(null=True)
    output_tps = DoubleField(null=True)
    e2e_tps = DoubleField(null=True)
    input_tps = DoubleField(null=True)
    input_tokens = IntegerField(null=True)
    output_tokens = IntegerField(null=True)
    reasoning_tokens = IntegerField(null=True)
    cached_tokens = IntegerField(null=True)
    tokens_source = CharField(max_length=12)
    cost_usd = DoubleField(null=True)
    clock = CharField(max_length=8)
    bundled = BooleanField()
    finish_reason = CharField(max_length=40, null=True)
    text = TextField()
    arrivals = BlobField()
    stored_at = DoubleField()

    class Meta:
        table_name = "sample"
        indexes = (
            (
                (
                    *("run", "provider", "model", "context_tokens"),
                    *("run_index", "warmup", "level"),
                ),
                True,
            ),
        )


class AuditEntry(Frozen):
    user = ForeignKeyField(User, null=True, on_delete="SET NULL")
    action = CharField(max_length=40)
    detail = TextField()
    address = CharField(max_length=64)
    at = DoubleField(index=True)


TABLES = (User, Provider, ModelEntry, ApiKey, Job, Run, SampleRow, AuditEntry)


def up(migrator: Any, db: Database) -> None:
    """Create every table."""
    with db.bind_ctx(TABLES):
        db.create_tables(TABLES, safe=False)


def down(migrator: Any, db: Database) -> None:
    """Drop every table, and all that is in them."""
    with db.bind_ctx(TABLES):
        db.drop_tables(TABLES)
