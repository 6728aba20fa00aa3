from __future__ import annotations

import multiprocessing
import os
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from peewee import OperationalError, SqliteDatabase

from tests.helpers import eventually
from webapp import db, models
from webapp.models import Job, User
from webapp.settings import Settings

ROOT = Path(__file__).parents[2]


@pytest.fixture
def database(settings: Settings) -> Iterator[SqliteDatabase]:
    opened = db.open_database(settings)
    with db.connection():
        yield opened


def _schema(database: Any) -> list[tuple[str, str]]:
    rows = database.execute_sql(
        "SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL"
        " AND tbl_name NOT IN ('schema_migration', 'sqlite_sequence') ORDER BY name"
    )
    return [(name, sql) for name, sql in rows]


def test_the_migrated_schema_is_the_schema_of_the_models(database: SqliteDatabase) -> None:
    fresh = SqliteDatabase(":memory:")
    with fresh.bind_ctx(models.TABLES), fresh.connection_context():
        fresh.create_tables(models.TABLES)
        assert _schema(database) == _schema(fresh)


def test_an_upgrade_of_an_upgraded_database_does_nothing(database: SqliteDatabase) -> None:
    before = _schema(database)

    assert db.upgrade() == []
    assert _schema(database) == before


def test_opening_migrates_by_name(settings: Settings) -> None:
    db.open_database(settings, migrate=False)

    assert db.upgrade()[0] == "0001_initial"


_OPEN = """
import sys
from pathlib import Path
from typing import Any
from webapp import db
from webapp.settings import Settings
sys.stdin.readline()
db.open_database(Settings(data=Path(sys.argv[1])))
with db.connection():
    print(db.database.execute_sql("SELECT count(*) FROM schema_migration").fetchone()[0])
"""


def test_processes_that_start_at_once_migrate_once(tmp_path: Path) -> None:
    command = [sys.executable, "-W", "error", "-c", _OPEN, str(tmp_path)]
    started = [
        subprocess.Popen(
            command,
            cwd=ROOT,
            text=True,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        for _ in range(6)
    ]
    for process in started:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    answers = [process.communicate(timeout=30) for process in started]

    migrations = len(list(db.MIGRATIONS.glob("0*.py")))
    assert answers == [(f"{migrations}\n", "")] * 6


def test_opening_the_same_file_again_keeps_the_open_database(settings: Settings) -> None:
    assert db.open_database(settings) is db.open_database(settings)


def test_a_forked_process_opens_connections_of_its_own(database: SqliteDatabase) -> None:
    User.create(email="alice@example.com", password_hash="x")
    inherited = db.database.connection()

    def child(pipe: multiprocessing.connection.Connection) -> None:
        assert not db.is_open()
        db.open_database(Settings(data=db.folder()), migrate=False)
        with db.connection():
            User.create(email="bob@example.com", password_hash="x")
            pipe.send(db.database.connection() is not inherited and db.is_open())

    ours, theirs = multiprocessing.Pipe()
    process = multiprocessing.get_context("fork").Process(target=child, args=(theirs,))
    process.start()
    process.join(10)

    assert ours.recv() is True
    assert User.select().count() == 2
    assert os.getpid() == db.database.obj.pid


def test_every_thread_gets_a_connection_and_gives_it_back(database: SqliteDatabase) -> None:
    seen: list[sqlite3.Connection] = []
    closed: list[bool] = []

    def work() -> None:
        with db.connection():
            with db.connection():
                seen.append(db.database.connection())
            assert User.select().count() == 0
        closed.append(database.is_closed())

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len({id(item) for item in [*seen, db.database.connection()]}) == 5
    assert closed == [True] * 4
    assert not database.is_closed()


def test_a_write_holds_the_lock_from_its_first_moment(
    database: SqliteDatabase, settings: Settings
) -> None:
    other = SqliteDatabase(str(settings.database_path), timeout=0, lock_type="IMMEDIATE")
    with other.connection_context(), db.write(), pytest.raises(OperationalError, match="locked"):
        other.begin()


def test_writers_in_many_threads_queue_instead_of_failing(database: SqliteDatabase) -> None:
    user = User.create(email="alice@example.com", password_hash="x")

    def work() -> None:
        with db.connection():
            for _ in range(25):
                with db.write():
                    found = User.get_by_id(user.id)
                    User.update(session_epoch=found.session_epoch + 1).execute()

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert User.get_by_id(user.id).session_epoch == 100


def test_a_failed_write_leaves_nothing(database: SqliteDatabase) -> None:
    def fail() -> None:
        with db.write():
            User.create(email="alice@example.com", password_hash="x")
            raise RuntimeError("no")

    with pytest.raises(RuntimeError):
        fail()
    assert User.select().count() == 0


def test_database_time_moves_on_and_is_utc_epoch_seconds(database: SqliteDatabase) -> None:
    user = User.create(email="alice@example.com", password_hash="x")
    job = Job.create(user=user, kind="demo", spec={})

    def stamp() -> float:
        Job.update(started_at=db.now()).where(Job.id == job.id).execute()
        return Job.get_by_id(job.id).started_at or 0.0

    first = stamp()
    assert first == pytest.approx(job.created_at, abs=2)
    assert eventually(lambda: stamp() > first, 2)


def test_the_data_version_changes_when_somebody_else_commits(
    database: SqliteDatabase, settings: Settings
) -> None:
    before = db.data_version()
    assert db.data_version() == before

    def somebody_else() -> None:
        with db.connection():
            User.create(email="bob@example.com", password_hash="x")

    thread = threading.Thread(target=somebody_else)
    thread.start()
    thread.join()

    assert db.data_version() != before


def test_deleting_a_user_deletes_what_is_theirs(database: SqliteDatabase) -> None:
    alice = User.create(email="alice@example.com", password_hash="x")
    Job.create(user=alice, kind="demo", spec={})

    alice.delete_instance()

    assert Job.select().count() == 0
