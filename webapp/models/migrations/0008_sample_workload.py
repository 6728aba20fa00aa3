"""Samples keep which prompt of a set they asked, and whether they recalled a hidden fact.
Neither was asked of the samples that are there already."""

from __future__ import annotations

from typing import Any

from peewee import BooleanField, Database, IntegerField
from playhouse.migrate import migrate


def up(migrator: Any, db: Database) -> None:
    """Add the columns."""
    migrate(
        migrator.add_column("sample", "prompt_index", IntegerField(null=True)),
        migrator.add_column("sample", "recall", BooleanField(null=True)),
    )


def down(migrator: Any, db: Database) -> None:
    """Drop them."""
    migrate(
        migrator.drop_column("sample", "prompt_index"), migrator.drop_column("sample", "recall")
    )
