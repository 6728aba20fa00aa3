"""Suites in the database. Editing makes a new version; a stored one never changes."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict

from flask import abort

from engine.tools.suites import Suite
from webapp import db
from webapp.models import SuiteRow, SuiteVersion, User
from webapp.tools.documents import document

# Suites that are remembered; the one looked at longest ago is forgotten first.
KEPT = 8
OUTDATED = (
    "This suite was changed in the meantime: version {} is the latest now. Open it and make "
    "your change again; nothing was overwritten."
)


def create(user: User, suite: Suite, note: str) -> SuiteRow:
    """Store a new suite as its version 1."""
    row = SuiteRow(user=user, name=suite.name)
    with db.write():
        row.save(force_insert=True)
        _add(row, suite, note)
    return row


def save(row: SuiteRow, suite: Suite, note: str, read: int) -> int | None:
    """Store `suite` as the next version and return its number; None when nothing differs.

    `read` is the number of the version that was edited; 409 when there is a later one, so
    that nobody's change is lost without a word.
    """
    with db.write():
        now = SuiteRow.get_by_id(row.id)
        if now.number != read:
            abort(409, OUTDATED.format(now.number))
        if document(suite) == latest(now).content:
            return None
        _add(now, suite, note)
        return int(now.number)


def _add(row: SuiteRow, suite: Suite, note: str) -> None:
    row.number += 1
    row.name, row.tools, row.cases = suite.name, len(suite.tools), len(suite.cases)
    row.updated_at = time.time()
    SuiteVersion.create(suite=row, number=row.number, content=document(suite), note=note[:200])
    row.save()


def latest(row: SuiteRow) -> SuiteVersion:
    """The version that editing starts from; 404 where there is none."""
    return version(row, row.number)


def version(row: SuiteRow, number: int) -> SuiteVersion:
    """One version with its content; 404 where there is none."""
    found = SuiteVersion.get_or_none(
        (SuiteVersion.suite == row.id) & (SuiteVersion.number == number)
    )
    if found is None:
        abort(404)
    return found


def versions(row: SuiteRow) -> list[SuiteVersion]:
    """All versions without their content, the latest first."""
    columns = (SuiteVersion.id, SuiteVersion.number, SuiteVersion.note, SuiteVersion.created_at)
    mine = SuiteVersion.select(*columns).where(SuiteVersion.suite == row.id)
    return list(mine.order_by(-SuiteVersion.number))


def suites(user: User) -> list[SuiteRow]:
    """The suites of a user, the one changed last first."""
    mine = (SuiteRow.user == user.id) & SuiteRow.deleted_at.is_null()
    return list(SuiteRow.select().where(mine).order_by(-SuiteRow.updated_at, -SuiteRow.id))


def suite_of(row: SuiteVersion) -> Suite:
    """The suite that a version holds, kept between two looks: building one of ten thousand
    cases takes a second."""
    key = (row.id, row.created_at)
    with _lock:
        known = _suites.get(key)
        if known is not None:
            _suites.move_to_end(key)
            return known
    built = Suite.model_validate(row.content)
    with _lock:
        _suites[key] = built
        while len(_suites) > KEPT:
            _suites.popitem(last=False)
    return built


_lock = threading.Lock()
_suites: OrderedDict[tuple[int, float], Suite] = OrderedDict()
