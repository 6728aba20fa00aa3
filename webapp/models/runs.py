"""Runs and their samples."""

from __future__ import annotations

import time
from typing import Any

from peewee import (
    BigIntegerField,
    BlobField,
    BooleanField,
    CharField,
    DoubleField,
    ForeignKeyField,
    IntegerField,
    TextField,
)

from webapp.models.base import JSONText, Table
from webapp.models.jobs import Job
from webapp.models.users import User


class Run(Table):
    """One benchmark. `spec` is stored whole, so the run can be repeated and replayed;
    `targets` holds what each target looked like when the run started (labels, windows,
    prices; never a key); `levels` what the load generator said of each finished level.
    `deleted_at` marks a run in its undo period."""

    user = ForeignKeyField(User, backref="runs", on_delete="CASCADE")
    user_id: int
    job = ForeignKeyField(Job, backref="runs", null=True, on_delete="SET NULL")
    job_id: int | None
    samples: Any
    name = CharField(max_length=200)
    spec = JSONText()
    targets = JSONText(default=list)
    environment = JSONText(default=dict)
    notices = JSONText(default=list)
    levels = JSONText(default=list)
    created_at = DoubleField(default=time.time)
    finished_at = DoubleField(null=True)
    deleted_at = DoubleField(null=True)

    class Meta:
        indexes = ((("user", "created_at"), False),)


class SampleRow(Table):
    """One stored sample; columns mirror `engine.samples.Sample` (its units too).

    `level` names the load level, "" for a sequential sample. `arrivals` is the packed blob of
    `engine.samples.pack_arrivals`, so that any statistic can be recomputed from what was seen.
    """

    run = ForeignKeyField(Run, backref="samples", on_delete="CASCADE")
    run_id: int
    provider = CharField(max_length=80)
    model = CharField(max_length=200)
    context_tokens = IntegerField()
    run_index = IntegerField()
    warmup = BooleanField(default=False)
    level = CharField(max_length=16, default="")
    outcome = CharField(max_length=12)
    error = CharField(max_length=20, null=True)
    message = TextField(null=True)
    tries = JSONText(default=list)
    start_ns = BigIntegerField(default=0)
    started_at = DoubleField(default=0.0)
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
    tokens_source = CharField(max_length=12, default="none")
    cost_usd = DoubleField(null=True)
    clock = CharField(max_length=8, default="read")
    bundled = BooleanField(default=False)
    finish_reason = CharField(max_length=40, null=True)
    text = TextField(default="")
    arrivals = BlobField(default=b"")
    stored_at = DoubleField(default=time.time)
    # Columns that came by a migration stand last, as they do in the table.
    cache_write_tokens = IntegerField(null=True)
    cache_write_1h_tokens = IntegerField(null=True)
    tpot_low_ms = DoubleField(null=True)
    tpot_high_ms = DoubleField(null=True)
    prompt_index = IntegerField(null=True)
    recall = BooleanField(null=True)

    class Meta:
        table_name = "sample"
        indexes = (
            (("run", "provider", "model", "context_tokens", "run_index", "warmup", "level"), True),
        )
