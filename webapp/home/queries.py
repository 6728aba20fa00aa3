"""What the start page shows of a user's work."""

from __future__ import annotations

from typing import Any

from webapp.history import queries
from webapp.history.rows import row
from webapp.jobs_pages.queries import bell
from webapp.models import User
from webapp.tools import evals

LAST_RUNS = 8


def overview(user: User) -> dict[str, Any]:
    """Active jobs, the last runs and evaluations; results are read of those that have ended."""
    rows = [row(listed) for listed in queries.latest(user, LAST_RUNS)]
    return {"jobs": bell(user).active, "rows": rows, "evals": evals.latest(user)}
