"""What /readyz looks at."""

from __future__ import annotations

import sqlite3

from peewee import DatabaseError

from jobs import queue
from jobs.timing import LEASE_S
from webapp.db import database


def checks() -> dict[str, str]:
    """For each of database, queue and worker: "ok" or what is wrong, in a few words."""
    return {"database": _database(), "queue": _queue(), "worker": _worker("main")}


def _database() -> str:
    try:
        database.execute_sql("SELECT 1 FROM user LIMIT 1")
    except DatabaseError as error:
        return f"cannot be read: {error}"
    return "ok"


def _queue() -> str:
    try:
        for lane in queue.LANES:
            queue.pending(lane)
    except (sqlite3.Error, OSError) as error:
        return f"cannot be read: {error}"
    return "ok"


def _worker(lane: str) -> str:
    try:
        age = queue.beat_age_s(lane)
    except (sqlite3.Error, OSError):
        return "unknown, since the queue cannot be read"
    if age is None:
        return "none has started yet"
    return "ok" if age < LEASE_S else f"silent for {age:.0f} s"
