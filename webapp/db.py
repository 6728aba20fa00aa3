"""The database: one proxy that models bind to, short immediate writes, database time."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from peewee import SQL, DatabaseProxy, SqliteDatabase

if TYPE_CHECKING:
    from webapp.settings import Settings

database = DatabaseProxy()
MIGRATIONS = Path(__file__).parent / "models" / "migrations"

# WAL: readers never wait for the writer. NORMAL is durable against a killed process.
_PRAGMAS = {
    "journal_mode": "wal",
    "synchronous": "normal",
    "foreign_keys": 1,
    "busy_timeout": 10_000,
    "cache_size": -16_000,
}


def open_database(settings: Settings, migrate: bool = True) -> SqliteDatabase:
    """Bind the models to the database of `settings` and bring its schema up to date.

    Idempotent for the same file; a process that forks must call it after the fork.
    """
    path = settings.database_path
    path.parent.mkdir(parents=True, exist_ok=True)
    real = SqliteDatabase(str(path), pragmas=_PRAGMAS, lock_type="IMMEDIATE")
    database.initialize(real)
    if migrate:
        upgrade()
    return real


def upgrade() -> list[str]:
    """Apply pending migrations in order; returns their names."""
    from playhouse.migrations import Runner

    runner = Runner(database.obj, str(MIGRATIONS))
    with connection():
        return [str(item) for item in runner.up() or []]


@contextmanager
def connection() -> Iterator[None]:
    """An open connection for this thread; nested use keeps the outer one."""
    opened = database.connect(reuse_if_open=True)
    try:
        yield
    finally:
        if opened and not database.is_closed():
            database.close()


@contextmanager
def write() -> Iterator[None]:
    """One short write transaction: BEGIN IMMEDIATE, so writers queue instead of failing."""
    with database.atomic():
        yield


def now() -> Any:
    """The database's clock as UTC epoch seconds (an SQL expression).

    Leases and heartbeats compare times of one clock only, whichever process writes them.
    """
    return SQL("((julianday('now') - 2440587.5) * 86400.0)")


def data_version() -> int:
    """Changes when another connection committed (PRAGMA data_version); read on one
    connection that stays open."""
    return int(database.execute_sql("PRAGMA data_version").fetchone()[0])
