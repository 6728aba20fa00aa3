"""What the start page shows of a user's work."""

from __future__ import annotations

from typing import Any

from webapp.benchmark.queries import last_runs
from webapp.history.headlines import Headline
from webapp.history.rows import Row, rows
from webapp.jobs_pages.queries import bell
from webapp.models import ACTIVE_STATES, User


def overview(user: User) -> dict[str, Any]:
    """Active jobs, and the last runs; results are read of those that have ended."""
    return {"jobs": bell(user).active, "rows": last_rows(user)}


def last_rows(user: User) -> list[Row]:
    """The last runs, newest first."""
    shown = [Row(run, Headline()) for run in last_runs(user)]
    ended = {row.run.id: row for row in rows([s.run for s in shown if not is_active(s)])}
    return [ended.get(row.run.id, row) for row in shown]


def is_active(row: Row) -> bool:
    """Whether a run waits or goes on."""
    return row.state in ACTIVE_STATES
