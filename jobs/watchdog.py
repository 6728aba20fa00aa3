"""Notices what nobody else can: dead workers, wake-ups that were lost, runs to forget.

Web and worker processes sweep alike. Every change is a conditional UPDATE on the
database's clock, so it does no harm when several of them sweep at once.
"""

from __future__ import annotations

import logging
import sqlite3
import threading
from collections.abc import Callable
from typing import Any

from peewee import OperationalError

from jobs import queue, states
from jobs.timing import LEASE_S, UNDO_S, WEB_SWEEP_S
from webapp import db
from webapp.models import ACTIVE_STATES, Eval, Job, Run, SuiteRow
from webapp.settings import Settings

log = logging.getLogger(__name__)


def sweep() -> None:
    """One look at everything. A locked database or queue is left to the next sweep."""
    try:
        with db.connection():
            for job in states.end_lost(LEASE_S):
                log.warning("job %s lost its worker %s: %s", job.id, job.worker, job.state)
            for lane in queue.LANES:
                wake_waiting(lane)
            forget_deleted()
    except (OperationalError, sqlite3.OperationalError) as error:
        log.warning("sweep put off: %s", error)


def wake_waiting(lane: str) -> None:
    """Send a wake-up for every runnable job of `lane` that has none under way.

    Workers that are busy take theirs later; one too many finds nothing to claim.
    """
    waiting = states.runnable(lane)
    if not waiting:
        return
    for job_id in waiting[queue.pending(lane) :]:
        queue.wake(lane, job_id)


def forget_deleted() -> int:
    """Delete the runs, evaluations and suites whose undo period is over, and the jobs that
    filled them; returns how many."""
    before = db.now() - UNDO_S
    with db.write():
        suites = SuiteRow.delete().where(SuiteRow.deleted_at < before).execute()
        return int(suites) + _forget(Run, before) + _forget(Eval, before)


def _forget(table: type[Run | Eval], before: Any) -> int:
    active = Job.select(Job.id).where(Job.state.in_(ACTIVE_STATES))
    idle = table.job.is_null() | table.job.not_in(active)
    over = table.delete().where((table.deleted_at < before) & idle)
    gone = list(over.returning(table.job).execute())
    for row in gone:
        Job.delete().where(Job.id == row.job_id).execute()
    return len(gone)


def start_background(settings: Settings, every_s: float = WEB_SWEEP_S) -> Callable[[], None]:
    """Sweep every `every_s` seconds in a daemon thread of this process; returns what stops
    it. Opens the database of `settings` where this process has not."""
    db.open_database(settings, migrate=False)
    stop = threading.Event()

    def work() -> None:
        while not stop.wait(every_s):
            sweep()

    thread = threading.Thread(target=work, name="watchdog", daemon=True)
    thread.start()

    def end() -> None:
        stop.set()
        thread.join()

    return end
