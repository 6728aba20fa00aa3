"""The queue: two Huey instances and one task on each; imports nothing that is slow.

A task is only a wake-up. Its body claims the fairest runnable job of its lane, which need
not be the one whose id it carries, so a lost or doubled task does no harm.
"""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from huey.api import Huey
from huey.storage import SqliteStorage

from webapp import db
from webapp.settings import Settings

FILES = {"main": "queue.db", "quick": "queue-quick.db"}
LANES = tuple(FILES)


class LaneStorage(SqliteStorage):
    """A queue file that is opened at first use, beside the database that is open.

    Where no database is open yet (a consumer that starts) the environment says where. It
    is opened again after a fork, and when another database was opened.
    """

    _conn: sqlite3.Connection | None

    def __init__(self, name: str) -> None:
        self._opened = (0, "")
        super().__init__(name, filename="", create_tables=False)

    @property
    def conn(self) -> sqlite3.Connection:
        """The connection; callers hold the storage's lock."""
        wanted = (os.getpid(), str(_folder() / FILES[self.name]))
        if self._conn is None or wanted != self._opened:
            return self._reopen(wanted)
        return self._conn

    def _reopen(self, wanted: tuple[int, str]) -> sqlite3.Connection:
        if self._conn is not None and self._opened[0] == wanted[0]:
            self._conn.close()
        self.filename = wanted[1]
        Path(self.filename).parent.mkdir(parents=True, exist_ok=True)
        fresh: sqlite3.Connection = self._create_connection()
        for statement in self.ddl:
            fresh.execute(statement)
        self._conn, self._opened = fresh, wanted
        return fresh


class Lane(Huey):
    """One lane's queue; its consumer also sweeps and says that it lives (jobs.consumer)."""

    def __init__(self, name: str) -> None:
        super().__init__(name, results=False, storage_class=LaneStorage)

    def create_consumer(self, **options: Any) -> Any:
        from jobs import runner
        from jobs.consumer import LaneConsumer

        runner.load_libraries()
        return LaneConsumer(self, **options)


def _folder() -> Path:
    return db.folder() if db.is_open() else Settings.from_env().database_path.parent


main = Lane("main")
quick = Lane("quick")
_HUEYS = {"main": main, "quick": quick}


def _task(lane: str) -> Callable[[int], None]:
    def run_job(job_id: int) -> None:
        from jobs import runner

        runner.run_next(lane)

    task: Callable[[int], None] = _HUEYS[lane].task(name="run_job")(run_job)
    return task


_TASKS = {lane: _task(lane) for lane in LANES}


def wake(lane: str, job_id: int) -> None:
    """Wake one worker of `lane`; `job_id` is the job that gave the reason.

    Call it after the commit that made the job runnable.
    """
    _TASKS[lane](job_id)


def pending(lane: str) -> int:
    """Wake-ups of `lane` that no worker has taken yet."""
    return int(_HUEYS[lane].storage.queue_size())


def beat(lane: str) -> None:
    """Note that the consumer of `lane` lives now."""
    _HUEYS[lane].storage.put_data("beat", str(time.time()).encode())


def beat_age_s(lane: str) -> float | None:
    """Seconds since the consumer of `lane` gave a sign of life; None when it never did."""
    storage = _HUEYS[lane].storage
    if not storage.has_data_for_key("beat"):
        return None
    return time.time() - float(bytes(storage.peek_data("beat")).decode())
