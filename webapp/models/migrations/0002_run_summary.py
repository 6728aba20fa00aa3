"""Summaries of runs, so that the history is sorted without reading samples.

The table starts empty: a summary is written when its run is first listed.
"""

from __future__ import annotations

from typing import Any

from peewee import CharField, Database, DoubleField, ForeignKeyField, IntegerField, Model, TextField


class Run(Model):
    """Only its name and key matter here."""


class RunSummary(Model):
    run = ForeignKeyField(Run, unique=True, on_delete="CASCADE")
    stamp = CharField(max_length=60)
    ok = IntegerField()
    output_tps = DoubleField(null=True)
    ttft_ms = DoubleField(null=True)
    cost_usd = DoubleField(null=True)
    content = TextField()

    class Meta:
        legacy_table_names = False


def up(migrator: Any, db: Database) -> None:
    """Create the table."""
    with db.bind_ctx((Run, RunSummary)):
        db.create_tables((RunSummary,), safe=False)


def down(migrator: Any, db: Database) -> None:
    """Drop it; the summaries are made anew from the samples."""
    with db.bind_ctx((Run, RunSummary)):
        db.drop_tables((RunSummary,))
