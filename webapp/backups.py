"""Backup and restore of the database, with SQLite's own online copy."""

from __future__ import annotations

import http.client
import os
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from webapp.settings import Settings

# Tables without which a file is no database of ours.
_OURS = frozenset({"user", "job", "run", "sample"})


class BackupError(Exception):
    """A backup cannot be made or restored; the message says why and what to do."""


def save(database: Path, target: Path) -> None:
    """Copy `database` to `target`, whole or not at all, while others read and write it.
    Raises BackupError when `target` exists or cannot be written."""
    if target.exists():
        raise BackupError(f"{target} exists already; name another file.")
    try:
        target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with _arriving(target) as fresh:
            _copy(database, fresh)
            _check(fresh)
    except OSError as error:
        raise BackupError(f"{target} cannot be written: {error.strerror or error}.") from error


def restore(source: Path, settings: Settings) -> Path | None:
    """Put the backup `source` in the place of the database, and return where the replaced
    one is kept (None when there was none). The schema is not upgraded here.

    Raises BackupError when `source` is damaged or not ours, or while a server runs.
    """
    _check(source)
    target = settings.database_path
    target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    _refuse_while_serving(settings)
    with _arriving(target) as fresh:
        _copy(source, fresh)
        _check(fresh)
        if not target.exists():
            return None
        _close_for_all(target)
        stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
        kept = target.with_name(f"{target.name}.before-{stamp}")
        os.link(target, kept)
        return kept


@contextmanager
def _arriving(target: Path) -> Iterator[Path]:
    """A file beside `target` that takes its place, mode 0600, if the block succeeds."""
    fresh = target.with_name(f".{target.name}.{os.getpid()}")
    try:
        fresh.touch(mode=0o600)
        yield fresh
        with fresh.open("rb") as file:
            os.fsync(file.fileno())
        fresh.replace(target)
    finally:
        fresh.unlink(missing_ok=True)


def _copy(source: Path, target: Path) -> None:
    try:
        with closing(_reading(source)) as old, closing(sqlite3.connect(target)) as new:
            old.backup(new)
            # One plain file, without a journal beside it, until a server opens it again.
            new.execute("PRAGMA journal_mode = DELETE")
    except sqlite3.Error as error:
        raise BackupError(f"{source} cannot be copied: {error}.") from error


def _check(path: Path) -> None:
    """Raise BackupError unless the file is a whole database of ours."""
    try:
        with closing(_reading(path)) as connection:
            verdict = connection.execute("PRAGMA integrity_check(1)").fetchone()[0]
            rows = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
            tables = {name for (name,) in rows}
    except sqlite3.DatabaseError as error:
        raise BackupError(f"{path} is not a usable database: {error}.") from error
    if verdict != "ok":
        raise BackupError(f"{path} is damaged: {verdict}.")
    if not tables >= _OURS:
        raise BackupError(f"{path} is a database, but not one of LLM Benchmark Studio.")


def _reading(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, timeout=10)


def _refuse_while_serving(settings: Settings) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", settings.port, timeout=1)
    try:
        connection.request("GET", "/healthz")
        answer = connection.getresponse().status
    except (OSError, http.client.HTTPException):
        return
    finally:
        connection.close()
    if answer == 200:
        raise BackupError(
            f"A server answers at port {settings.port}: stop it before restoring, so that "
            "nothing is written meanwhile."
        )


def _close_for_all(path: Path) -> None:
    """Fold the write-ahead log into the file; fails while any process has it open."""
    try:
        with closing(sqlite3.connect(path, timeout=1)) as connection:
            mode = connection.execute("PRAGMA journal_mode = DELETE").fetchone()[0]
    except sqlite3.DatabaseError as error:
        if "locked" not in str(error):
            return  # it is damaged, which may be why it is replaced
        mode = "wal"
    if mode != "delete":
        raise BackupError(
            f"{path} is in use by another program: stop server and workers before restoring."
        )
