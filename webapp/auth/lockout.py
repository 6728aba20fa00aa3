"""Five failed sign-ins in five minutes lock an account for that network address.

Attempts are kept in the audit table, so the lock holds in every process. An attempt is
written down as failed *before* the password is looked at and corrected afterwards;
otherwise a hundred guesses sent at once would all be looked at.
"""

from __future__ import annotations

import time
from collections.abc import Sequence

from webapp import db
from webapp.models import AuditEntry

TRIES = 5
WINDOW_S = 300.0
LOCK_S = 900.0
FAILED, SIGNED_IN = "signin.failed", "signin"


class Locked(Exception):
    """Too many failures; `seconds` until the next attempt is looked at."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"locked for {seconds:.0f} s")
        self.seconds = seconds


def begin(email: str, address: str) -> int:
    """Write an attempt down and return its id. Raises Locked."""
    now = time.time()
    with db.write():
        wait = locked_for(_failures(email, address, now), now)
        if wait > 0:
            raise Locked(wait)
        entry = AuditEntry.create(action=FAILED, detail=email, address=address, at=now)
        return int(entry.id)


def succeed(attempt: int, user_id: int) -> None:
    """The attempt was right: it and what came before it no longer count."""
    with db.write():
        changes = {AuditEntry.action: SIGNED_IN, AuditEntry.user: user_id}
        AuditEntry.update(changes).where(AuditEntry.id == attempt).execute()


def locked_for(failures: Sequence[float], now: float) -> float:
    """Seconds a pair stays locked, given the times of its failures in order; 0 when open."""
    ends = [
        last + LOCK_S
        for first, last in zip(failures, failures[TRIES - 1 :], strict=False)
        if last - first <= WINDOW_S
    ]
    return max(0.0, max(ends, default=0.0) - now)


def _failures(email: str, address: str, now: float) -> list[float]:
    rows = (
        AuditEntry.select(AuditEntry.action, AuditEntry.at)
        .where(
            AuditEntry.at > now - WINDOW_S - LOCK_S,
            AuditEntry.action.in_((FAILED, SIGNED_IN)),
            AuditEntry.detail == email,
            AuditEntry.address == address,
        )
        .order_by(AuditEntry.at, AuditEntry.id)
    )
    times: list[float] = []
    for row in rows:
        times = [] if row.action == SIGNED_IN else [*times, row.at]
    return times
