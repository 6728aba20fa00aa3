"""What /readyz looks at."""

from __future__ import annotations

import sqlite3

from flask import current_app
from peewee import DatabaseError

from webapp.db import database
from webapp.settings import Settings


def checks() -> dict[str, str]:
    """"ok" or a short reason for each of database, queue and worker."""
    settings: Settings = current_app.extensions["studio"]
    return {"database": _database(), "queue": _queue(settings), "worker": "ok"}


def _database() -> str:
    try:
        database.execute_sql("SELECT 1 FROM user LIMIT 1")
    except DatabaseError as error:
        return f"cannot be read: {error}"
    return "ok"


def _queue(settings: Settings) -> str:
    if not settings.queue_path.exists():
        return "has no file yet; start a worker"
    try:
        with sqlite3.connect(f"file:{settings.queue_path}?mode=ro", uri=True) as queue:
            queue.execute("SELECT count(*) FROM sqlite_master").fetchone()
    except sqlite3.Error as error:
        return f"cannot be read: {error}"
    return "ok"
