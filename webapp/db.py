"""The database: one proxy that models bind to, short immediate writes, database time."""

from __future__ import annotations

import fcntl
import os
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

# SQLite connections must not be used, nor closed, by a process that only inherited them.
_inherited: list[SqliteDatabase] = []


class _Database(SqliteDatabase):
    """A database that remembers which process opened it."""

    def __init__(self, path: Path) -> None:
        super().__init__(str(path), pragmas=_PRAGMAS, lock_type="IMMEDIATE")
        self.pid = os.getpid()


def open_database(settings: Settings, migrate: bool = True) -> SqliteDatabase:
    """Bind the models to the database of `settings` and bring its schema up to date.

    Idempotent for the same file; a process that forks must call it after the fork. Each
    thread gets a connection of its own, and returns it by leaving `connection()`.
    """
    path = settings.database_path
    if not (is_open() and database.obj.database == str(path)):
        path.parent.mkdir(parents=True, exist_ok=True)
        _let_go()
        database.initialize(_Database(path))
    if migrate:
        upgrade()
    real: SqliteDatabase = database.obj
    return real


def is_open() -> bool:
    """True when this process itself (not the one it was forked from) opened the database."""
    return database.obj is not None and database.obj.pid == os.getpid()


def folder() -> Path:
    """The folder of the open database; what belongs to this installation lies beside it."""
    return Path(database.obj.database).parent


def _let_go() -> None:
    if database.obj is None:
        return
    if is_open():
        database.close()
    else:
        _inherited.append(database.obj)


def upgrade() -> list[str]:
    """Apply pending migrations in order; returns their names.

    Several processes may call it at once: one migrates, the others wait and find nothing
    to do. The file lock also covers the switch of a new file to WAL, which SQLite refuses
    at once (whatever the busy timeout) while another process does the same.
    """
    from playhouse.migrations import Runner

    with _upgrade_lock(folder()), connection():
        return [str(name) for name in Runner(database.obj, str(MIGRATIONS)).up()]


@contextmanager
def _upgrade_lock(where: Path) -> Iterator[None]:
    with (where / ".upgrade.lock").open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


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
