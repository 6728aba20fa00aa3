"""Digests of runs, so that a report is shown without reading its samples.

The table starts empty: a digest is written when its run ends or is first looked at.
"""

from __future__ import annotations

from typing import Any

from peewee import CharField, Database, ForeignKeyField, Model, TextField


class Run(Model):
    """Only its name and key matter here."""


class RunDigest(Model):
    run = ForeignKeyField(Run, unique=True, on_delete="CASCADE")
    stamp = CharField(max_length=60)
    content = TextField()

    class Meta:
        legacy_table_names = False


def up(migrator: Any, db: Database) -> None:
    """Create the table."""
    with db.bind_ctx((Run, RunDigest)):
        db.create_tables((RunDigest,), safe=False)


def down(migrator: Any, db: Database) -> None:
    """Drop it; the digests are made anew from the samples."""
    with db.bind_ctx((Run, RunDigest)):
        db.drop_tables((RunDigest,))
