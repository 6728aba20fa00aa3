"""Pages of this area: the list of runs and what is done with ticked ones, and two runs
compared (`compare_views`)."""

from __future__ import annotations

from typing import Any

from flask import Response, abort, jsonify, make_response, request, url_for

from webapp import htmx
from webapp.access import me, own_or_404
from webapp.downloads import download
from webapp.history import compare_views, queries, rows
from webapp.history.blueprint import bp
from webapp.history.filters import Filters, read
from webapp.listing import STATE_CHOICES, ids
from webapp.models import ACTIVE_STATES, Run
from webapp.removal import Ticked

__all__ = ["bp", "compare_views"]

PAGE, FRAGMENT = "history/index.html", "history/_runs.html"
FORM_ID = "filters"
TICKED = Ticked(Run, "run", "benchmarks", undo="history.restore", changed="studio:runs")
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
    return download(rows.to_csv(_wanted(filters)), "text/csv", "history.csv")


@bp.post("/history/delete")
def delete() -> Response:
    """Put ticked runs away; for some minutes they can be brought back."""
    filters, errors = read(request.args)
    to = url_for("history.index", **filters.args())
    return TICKED.delete(lambda: _list(filters, errors), to)


@bp.post("/history/restore")
def restore() -> Response:
    """Bring deleted runs back."""
    return TICKED.restore(url_for("history.index"))


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
