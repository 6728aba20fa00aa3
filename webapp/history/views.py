"""Pages of this area: the list of runs and what is done with ticked ones, and two runs
compared (`compare_views`)."""

from __future__ import annotations

import json
from typing import Any

from flask import Response, abort, jsonify, make_response, request, url_for

from webapp import htmx
from webapp.access import me, own_or_404
from webapp.history import compare_views, queries, removal, rows, words
from webapp.history.blueprint import bp, ids
from webapp.history.filters import Filters, read
from webapp.listing import STATE_CHOICES
from webapp.models import ACTIVE_STATES, Run

__all__ = ["bp", "compare_views"]

PAGE, FRAGMENT = "history/index.html", "history/_runs.html"
# The filters' form has this id, and the list asks for itself again on this event.
FORM_ID, CHANGED = "filters", "studio:runs"
NOTHING_TICKED = "Tick the benchmarks to delete first."
ONE_TO_REPEAT = "Tick the one benchmark to run again; {} are ticked."


@bp.get("/history")
def index() -> Response:
    """The runs that match the address, one page of them."""
    return _list(*read(request.args))


@bp.get("/history.json")
def index_json() -> Response:
    """The same as data with full values: every run that matches, or one `?page=`."""
    filters, errors = read(request.args)
    if errors:
        return make_response(jsonify(error=next(iter(errors.values())), errors=errors), 422)
    return jsonify(runs=[rows.as_data(listed) for listed in _wanted(filters)])


@bp.get("/history.csv")
def index_csv() -> Response:
    """The values of the JSON, one line a run."""
    filters, errors = read(request.args)
    if errors:
        abort(422, " ".join(errors.values()))
    return _csv(rows.to_csv(_wanted(filters)), "history.csv")


@bp.post("/history/delete")
def delete() -> Response:
    """Put ticked runs away; for some minutes they can be brought back."""
    ticked = ids(request.form.getlist("run"))
    if not ticked:
        abort(422, NOTHING_TICKED)
    gone = removal.delete(me(), ticked)
    if not gone:
        abort(404)
    text = words.deleted(gone)
    undo = url_for("history.restore", run=[run.id for run in gone])
    filters, errors = read(request.args)
    if htmx.is_htmx():
        return htmx.toast(_list(filters, errors), text, undo=undo)
    return htmx.done(url_for("history.index", **filters.args()), text, undo=undo)


@bp.post("/history/restore")
def restore() -> Response:
    """Bring deleted runs back."""
    back = removal.restore(me(), ids(request.args.getlist("run")))
    if not back:
        abort(404, "They cannot be brought back any more: the time for it is over.")
    if not htmx.is_htmx():
        return htmx.done(url_for("history.index"), words.restored(back))
    response = htmx.toast(Response(status=204), words.restored(back))
    events = json.loads(response.headers["HX-Trigger"]) | {CHANGED: None}
    response.headers["HX-Trigger"] = json.dumps(events)
    return response


@bp.post("/history/again")
def again() -> Response:
    """To the form, filled in as it was for the one run that is ticked."""
    ticked = ids(request.form.getlist("run"))
    if len(ticked) != 1:
        abort(422, ONE_TO_REPEAT.format(len(ticked) or "none"))
    run = own_or_404(Run, ticked[0])
    source: dict[str, Any] = {"from": run.id}
    return htmx.go(url_for("benchmark.new", **source))


def _wanted(filters: Filters) -> list[queries.Listed]:
    """What a twin carries: all that match, or the page that its address names."""
    if "page" in request.args:
        return queries.page(me(), filters).runs
    return queries.every(me(), filters)


def _csv(text: str, name: str) -> Response:
    response = Response(text, mimetype="text/csv")
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


def _list(filters: Filters, errors: dict[str, str]) -> Response:
    """The list; a form sends its empty fields too, so it is told the shorter address."""
    user = me()
    page = queries.Page([], 0) if errors else queries.page(user, filters)
    context: dict[str, Any] = {
        "filters": filters,
        "errors": errors,
        "page": page,
        "rows": [rows.row(listed) for listed in page.runs],
        "columns": rows.COLUMNS,
        "page_size": queries.PAGE_SIZE,
        "anything": bool(page.total) or queries.has_any(user),
        "ticked": ids(request.args.getlist("run")),
        "active": any(listed.state in ACTIVE_STATES for listed in page.runs),
    }
    if not htmx.is_htmx():
        providers, models = queries.offered(user)
        context |= {"providers": providers, "models": models, "states": STATE_CHOICES}
    response = htmx.page(PAGE, FRAGMENT, status=422 if errors else 200, **context)
    if request.headers.get("HX-Trigger") == FORM_ID:
        response.headers["HX-Push-Url"] = url_for("history.index", **filters.args())
    return response
