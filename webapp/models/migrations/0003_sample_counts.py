"""Samples keep what they wrote into a prefix cache, and between which values the time per
token lies where a stream came in bundles. Unknown for the samples that are there already."""

from __future__ import annotations

from typing import Any

from peewee import Database, DoubleField, IntegerField
from playhouse.migrate import migrate

COLUMNS = {
    "cache_write_tokens": IntegerField,
    "cache_write_1h_tokens": IntegerField,
    "tpot_low_ms": DoubleField,
    "tpot_high_ms": DoubleField,
}


def up(migrator: Any, db: Database) -> None:
    """Add the columns."""
    added = [migrator.add_column("sample", name, kind(null=True)) for name, kind in COLUMNS.items()]
    migrate(*added)


def down(migrator: Any, db: Database) -> None:
    """Drop them."""
    migrate(*(migrator.drop_column("sample", name) for name in COLUMNS))
