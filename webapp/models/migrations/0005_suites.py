"""Suites of tool calling and their versions."""

from __future__ import annotations

from typing import Any

from peewee import CharField, Database, DoubleField, ForeignKeyField, IntegerField, Model, TextField


class User(Model):
    """Only its name and key matter here."""


class SuiteRow(Model):
    user = ForeignKeyField(User, on_delete="CASCADE")
    name = CharField(max_length=120)
    number = IntegerField()
    tools = IntegerField()
    cases = IntegerField()
    created_at = DoubleField()
    updated_at = DoubleField()
    deleted_at = DoubleField(null=True)

    class Meta:
        legacy_table_names = False
        table_name = "suite"
        indexes = ((("user", "updated_at"), False),)


class SuiteVersion(Model):
    suite = ForeignKeyField(SuiteRow, on_delete="CASCADE")
    number = IntegerField()
    content = TextField()
    note = CharField(max_length=200)
    created_at = DoubleField()

    class Meta:
        legacy_table_names = False
        indexes = ((("suite", "number"), True),)


def up(migrator: Any, db: Database) -> None:
    """Create the tables."""
    with db.bind_ctx((User, SuiteRow, SuiteVersion)):
        db.create_tables((SuiteRow, SuiteVersion), safe=False)


def down(migrator: Any, db: Database) -> None:
    """Drop them, with every suite in them."""
    with db.bind_ctx((User, SuiteRow, SuiteVersion)):
        db.drop_tables((SuiteVersion, SuiteRow))
