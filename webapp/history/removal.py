"""Deleting runs, and bringing them back while that is possible."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from jobs.submit import cancel
from jobs.timing import UNDO_S
from webapp import db
from webapp.models import Run, User

_ID: Any = Run.id


def delete(user: User, ids: Collection[int]) -> list[Run]:
    """Mark those of the user's runs as deleted and stop what still runs; returns them.

    The watchdog removes them when the undo period is over.
    """
    gone = _mark(user, ids, Run.deleted_at.is_null(), deleted_at=db.now())
    for run in gone:
        if run.job is not None:
            cancel(run.job)
    return gone


def restore(user: User, ids: Collection[int]) -> list[Run]:
    """Bring back those of the user's runs that were deleted not too long ago; returns them."""
    return _mark(user, ids, Run.deleted_at > db.now() - UNDO_S, deleted_at=None)


def _mark(user: User, ids: Collection[int], when: Any, **change: Any) -> list[Run]:
    chosen = (Run.user == user.id) & _ID.in_(list(ids)) & when
    with db.write():
        marked = Run.update(change).where(chosen).returning(Run.id, Run.name, Run.job)
        return list(marked.execute())
