"""Backup and restore against a real database with readers and writers."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from tests.webapp.commands.conftest import Studio, folder, studio
from webapp import backups, db
from webapp.models import User
from webapp.settings import Settings

__all__ = ["folder", "studio"]


@pytest.fixture
def installation(settings: Settings) -> Iterator[Settings]:
    """A database with Alice in it; no server answers at its port."""
    alone = replace(settings, port=1)
    db.open_database(alone)
    with db.connection():
        User.create(email="alice@example.org", password_hash="!")
    yield alone
    db.database.close()


def emails(path: Path) -> list[str]:
    with closing(sqlite3.connect(path)) as connection:
        return [row[0] for row in connection.execute('SELECT email FROM "user" ORDER BY id')]


def add(email: str) -> None:
    with db.connection():
        User.create(email=email, password_hash="!")


def test_a_backup_is_a_whole_copy_taken_while_somebody_writes(
    installation: Settings, tmp_path: Path
) -> None:
    stop = threading.Event()
    written: list[str] = []

    def write() -> None:
        with db.connection():
            while not stop.is_set():
                email = f"user{len(written)}@example.org"
                User.create(email=email, password_hash="!")
                written.append(email)

    writer = threading.Thread(target=write)
    writer.start()
    try:
        backups.save(installation.database_path, tmp_path / "copies" / "one.db")
    finally:
        stop.set()
        writer.join()
    found = emails(tmp_path / "copies" / "one.db")
    assert found[0] == "alice@example.org"
    assert found[1:] == written[: len(found) - 1]
    assert (tmp_path / "copies" / "one.db").stat().st_mode & 0o777 == 0o600
    assert [path.name for path in (tmp_path / "copies").iterdir()] == ["one.db"]


def test_a_backup_overwrites_nothing(installation: Settings, tmp_path: Path) -> None:
    (tmp_path / "kept.db").write_text("mine")
    with pytest.raises(backups.BackupError, match="exists already"):
        backups.save(installation.database_path, tmp_path / "kept.db")
    assert (tmp_path / "kept.db").read_text() == "mine"


def test_a_restore_brings_the_old_state_back_and_keeps_the_replaced_one(
    installation: Settings, tmp_path: Path
) -> None:
    copy = tmp_path / "one.db"
    backups.save(installation.database_path, copy)
    add("charlie@example.org")
    db.database.close()
    kept = backups.restore(copy, installation)
    assert emails(installation.database_path) == ["alice@example.org"]
    assert kept is not None
    assert emails(kept) == ["alice@example.org", "charlie@example.org"]
    db.open_database(installation)
    add("bob@example.org")
    assert emails(copy) == ["alice@example.org"]


def test_a_restore_works_where_there_was_no_database(
    installation: Settings, tmp_path: Path
) -> None:
    backups.save(installation.database_path, tmp_path / "one.db")
    elsewhere = replace(installation, data=tmp_path / "fresh")
    assert backups.restore(tmp_path / "one.db", elsewhere) is None
    assert emails(elsewhere.database_path) == ["alice@example.org"]


def test_a_restore_refuses_while_another_program_has_the_database_open(
    installation: Settings, tmp_path: Path
) -> None:
    backups.save(installation.database_path, tmp_path / "one.db")
    with closing(sqlite3.connect(installation.database_path)) as other:
        other.execute('SELECT * FROM "user"').fetchall()
        with pytest.raises(backups.BackupError, match="in use by another program"):
            backups.restore(tmp_path / "one.db", installation)
    assert emails(installation.database_path) == ["alice@example.org"]
    assert [p.name for p in installation.data.iterdir() if "before" in p.name] == []


def test_a_restore_refuses_while_a_server_answers(installation: Settings, tmp_path: Path) -> None:
    backups.save(installation.database_path, tmp_path / "one.db")

    class Healthy(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Quiet."""

    with HTTPServer(("127.0.0.1", 0), Healthy) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            serving = replace(installation, port=server.server_port)
            with pytest.raises(backups.BackupError, match="stop it before restoring"):
                backups.restore(tmp_path / "one.db", serving)
        finally:
            server.shutdown()
            thread.join()


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "not one of LLM Benchmark Studio"),
        (b"no database at all, but long enough to be looked at" * 40, "not a usable database"),
    ],
)
def test_a_file_that_is_no_backup_is_refused(
    installation: Settings, tmp_path: Path, content: bytes, reason: str
) -> None:
    (tmp_path / "wrong.db").write_bytes(content)
    with pytest.raises(backups.BackupError, match=reason):
        backups.restore(tmp_path / "wrong.db", installation)
    assert emails(installation.database_path) == ["alice@example.org"]


def test_a_damaged_backup_is_refused(installation: Settings, tmp_path: Path) -> None:
    for number in range(400):
        add(f"user{number}@example.org")
    copy = tmp_path / "one.db"
    backups.save(installation.database_path, copy)
    raw = bytearray(copy.read_bytes())
    middle = len(raw) // 2
    raw[middle : middle + 20_000] = b"\xff" * 20_000
    copy.write_bytes(raw)
    with pytest.raises(backups.BackupError, match=r"damaged|not a usable"):
        backups.restore(copy, installation)
    assert len(emails(installation.database_path)) == 401


def test_the_commands_back_up_and_restore(
    studio: Studio, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PORT", "1")
    assert "up to date" in studio("db", "upgrade").stdout
    saved = studio("db", "backup")
    assert saved.exit_code == 0, saved.output
    (copy,) = (folder / "data" / "backups").iterdir()
    assert studio("db", "backup", str(copy)).exit_code == 1
    db.database.close()
    refused = studio("db", "restore", str(copy), input="n\n")
    assert refused.exit_code == 1
    done = studio("db", "restore", str(copy), "--yes")
    assert done.exit_code == 0, done.output
    assert "The database it replaced is" in done.stdout
    assert studio("db", "restore", "absent.db", "--yes").exit_code == 2
