"""What all tables share: the database, and JSON stored as text."""

from __future__ import annotations

import json
from typing import Any

from peewee import Model, TextField

from webapp.db import database


class Table(Model):
    """Base of every table."""

    id: int

    class Meta:
        database = database
        legacy_table_names = False


class JSONText(TextField):
    """A JSON value in a text column; None stays NULL."""

    def db_value(self, value: Any) -> str | None:
        return None if value is None else json.dumps(value, separators=(",", ":"), allow_nan=False)

    def python_value(self, value: str | None) -> Any:
        return None if value is None else json.loads(value)
