"""Deleting rows, and bringing them back while that is possible: in the database, and as what
a page does with one of them or with those that are ticked in a list."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from flask import Response, abort, request, url_for

from engine.report.numbers import count
from jobs.submit import cancel
from jobs.timing import UNDO_S
from webapp import db, htmx
from webapp.access import me, own_or_404
from webapp.listing import ids
from webapp.models import Eval, Run, SuiteRow, User

Row = TypeVar("Row", Run, Eval, SuiteRow)

TOO_LATE = "{} cannot be brought back any more: the time for it is over."


def delete(table: type[Row], user: User, chosen: Collection[int]) -> list[Row]:
    """Mark those of the user's rows as deleted and stop what still runs; returns them.

    The watchdog removes them when the undo period is over.
    """
    deleted_at: Any = table.deleted_at
    gone = _mark(table, user, chosen, deleted_at.is_null(), deleted_at=db.now())
    for row in gone:
        if job := getattr(row, "job", None):
            cancel(job)
    return gone


def restore(table: type[Row], user: User, chosen: Collection[int]) -> list[Row]:
    """Bring back those of the user's rows that were deleted not too long ago; returns them."""
    deleted_at: Any = table.deleted_at
    return _mark(table, user, chosen, deleted_at > db.now() - UNDO_S, deleted_at=None)


def _mark(
    table: type[Row], user: User, chosen: Collection[int], when: Any, **change: Any
) -> list[Row]:
    fields: dict[str, Any] = table._meta.fields
    mine = (fields["user"] == user.id) & fields["id"].in_(list(chosen)) & when
    said = [fields[name] for name in ("id", "name", "job") if name in fields]
    with db.write():
        return list(table.update(change).where(mine).returning(*said).execute())


def delete_one(table: type[Row], row_id: int, *, to: str, undo: str) -> Response:
    """Put a row away and go to `to`, which offers to POST to `undo`; 404 for a stranger's."""
    row = own_or_404(table, row_id)
    delete(table, me(), [row.id])
    return htmx.done(to, f"“{row.name}” is deleted.", undo=undo)


def restore_one(table: type[Row], row_id: int, *, to: str) -> Response:
    """Bring a deleted row back and go to `to`; 404 when it is too late."""
    row = own_or_404(table, row_id, deleted=True)
    if not restore(table, me(), [row.id]):
        abort(404, TOO_LATE.format("It"))
    return htmx.done(to, f"“{row.name}” is back.")


@dataclass(frozen=True, slots=True)
class Ticked(Generic[Row]):
    """Rows of one kind in a list: `field` is the name of their ticks, `noun` their word in the
    plural, `undo` the endpoint that restores them, `changed` the event that the list waits for."""

    table: type[Row]
    field: str
    noun: str
    undo: str
    changed: str

    def delete(self, listed: Callable[[], Response], to: str) -> Response:
        """Put the ticked ones away; htmx is given what is `listed` then, a browser goes `to`."""
        chosen = ids(request.form.getlist(self.field))
        if not chosen:
            abort(422, f"Tick the {self.noun} to delete first.")
        gone = delete(self.table, me(), chosen)
        if not gone:
            abort(404)
        back: dict[str, Any] = {self.field: [row.id for row in gone]}
        text, undo = self.deleted(gone), url_for(self.undo, **back)
        if htmx.is_htmx():
            return htmx.toast(listed(), text, undo=undo)
        return htmx.done(to, text, undo=undo)

    def restore(self, to: str) -> Response:
        """Bring those back that the address names; an open list hears of it."""
        back = restore(self.table, me(), ids(request.args.getlist(self.field)))
        if not back:
            abort(404, TOO_LATE.format("They"))
        if not htmx.is_htmx():
            return htmx.done(to, self.restored(back))
        response = htmx.toast(Response(status=204), self.restored(back))
        events = json.loads(response.headers["HX-Trigger"]) | {self.changed: None}
        response.headers["HX-Trigger"] = json.dumps(events)
        return response

    def deleted(self, rows: Sequence[Row]) -> str:
        return self._counted(rows, "is deleted", "are deleted")

    def restored(self, rows: Sequence[Row]) -> str:
        return self._counted(rows, "is back", "are back")

    def _counted(self, rows: Sequence[Row], one: str, many: str) -> str:
        if len(rows) == 1:
            return f"“{rows[0].name}” {one}."
        return f"{count(len(rows))} {self.noun} {many}."
