"""Evaluations of tool calling and their trials."""

from __future__ import annotations

import time
from typing import Any

from peewee import (
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
from webapp.models.suites import SuiteVersion
from webapp.models.users import User


class Eval(Table):
    """One evaluation. `suite` is the whole suite it runs on ("studio.suite/1"), so that
    editing or deleting the suite changes no history; `suite_version` says where it came from.
    The other columns are those of a `Run`."""

    user = ForeignKeyField(User, backref="evals", on_delete="CASCADE")
    user_id: int
    job = ForeignKeyField(Job, backref="evals", null=True, on_delete="SET NULL")
    job_id: int | None
    suite_version = ForeignKeyField(SuiteVersion, backref="evals", null=True, on_delete="SET NULL")
    suite_version_id: int | None
    trials: Any
    name = CharField(max_length=200)
    spec = JSONText()
    suite = JSONText()
    targets = JSONText(default=list)
    environment = JSONText(default=dict)
    notices = JSONText(default=list)
    created_at = DoubleField(default=time.time)
    finished_at = DoubleField(null=True)
    deleted_at = DoubleField(null=True)

    class Meta:
        indexes = ((("user", "created_at"), False),)


class TrialRow(Table):
    """One stored trial, as small as a cell of the matrix needs; columns mirror
    `engine.tools.trials.Trial` (its units too). What a reader of one trial needs beside it is
    in `TrialDetail`.

    `case_id` is the case's id in the suite. `passed`, `error_type`, `overall`, `scores` and
    `errors` are those of the score, None without one; `error` is the kind of an
    infrastructure error.
    """

    eval = ForeignKeyField(Eval, backref="trials", on_delete="CASCADE")
    eval_id: int
    case_id = CharField(max_length=200)
    provider = CharField(max_length=80)
    model = CharField(max_length=200)
    trial = IntegerField()
    category = CharField(max_length=80, default="")
    outcome = CharField(max_length=14)
    error = CharField(max_length=20, null=True)
    passed = BooleanField(null=True)
    error_type = CharField(max_length=40, null=True)
    overall = DoubleField(null=True)
    scores = JSONText(null=True)
    errors = JSONText(null=True)
    recovered = BooleanField(default=False)
    rounds = IntegerField(default=0)
    input_tokens = IntegerField(null=True)
    output_tokens = IntegerField(null=True)
    cost_usd = DoubleField(null=True)
    ttft_ms = DoubleField(null=True)
    e2e_ms = DoubleField(null=True)
    started_at = DoubleField(default=0.0)
    stored_at = DoubleField(default=time.time)

    class Meta:
        table_name = "trial"
        # By case first: a page of the matrix is some cases with all their models.
        indexes = ((("eval", "case_id", "provider", "model", "trial"), True),)


class TrialDetail(Table):
    """The heavy part of a trial: `message` explains an infrastructure error, `reason` and
    `diffs` (`engine.tools.answers.ArgumentDiff` as objects) the score; `tokens` has all counts of
    `engine.samples.Tokens` and who counted; `transcript` is the
    blob of `engine.tools.trials.pack_transcript`."""

    trial = ForeignKeyField(TrialRow, unique=True, backref="detail", on_delete="CASCADE")
    trial_id: int
    message = TextField(null=True)
    reason = TextField(default="")
    diffs = JSONText(default=list)
    tries = JSONText(default=list)
    tokens = JSONText(default=dict)
    transcript = BlobField(default=b"")
