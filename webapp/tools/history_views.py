"""The list of evaluations with its twins, and what is done with ticked ones."""

from __future__ import annotations

from typing import Any

from flask import Response, abort, jsonify, request, url_for

from webapp import htmx
from webapp.access import me
from webapp.downloads import download
from webapp.history.rows import csv_text
from webapp.listing import STATE_CHOICES, ids
from webapp.models import ACTIVE_STATES, Eval
from webapp.removal import Ticked
from webapp.tools import evals
from webapp.tools.blueprint import bp
from webapp.tools.evals import Listed
from webapp.tools.filters import Filters, read

PAGE, FRAGMENT = "tools/evals.html", "tools/_evals.html"
FORM_ID = "filters"
TICKED = Ticked(Eval, "eval", "evaluations", undo=".restore_evals", changed="studio:evals")
TWO_TO_COMPARE = "Tick the two evaluations to compare; {} ticked."
COLUMNS = (
    "id", "name", "url", "suite", "state", "models", "created_at", "finished_at", "cases",
    "best", "passed", "counted", "share", "no_answer",
)  # fmt: skip


@bp.get("/evals")
def list_evals() -> Response:
    """The evaluations that match the address, one page of them."""
    return _list(read(request.args))


@bp.get("/evals.json")
def evals_json() -> Response:
    """The same as data: every evaluation that matches, or one `?page=`."""
    return jsonify(evals=[_as_data(one) for one in _wanted(read(request.args))])


@bp.get("/evals.csv")
def evals_csv() -> Response:
    """The values of the JSON, one line an evaluation."""
    lines = [_as_data(one) for one in _wanted(read(request.args))]
    for line in lines:
        line["models"] = " ".join(line["models"])
    return download(csv_text(COLUMNS, lines), "text/csv", "evaluations.csv")


@bp.post("/evals/delete")
def delete_evals() -> Response:
    """Put ticked evaluations away; for some minutes they can be brought back."""
    filters = read(request.args)
    return TICKED.delete(lambda: _list(filters), url_for(".list_evals", **filters.args()))


@bp.post("/evals/restore")
def restore_evals() -> Response:
    """Bring deleted evaluations back."""
    return TICKED.restore(url_for(".list_evals"))


@bp.post("/evals/compare")
def compare_ticked() -> Response:
    """To the comparison of the two that are ticked, the older one as A."""
    ticked = sorted(ids(request.form.getlist("eval")))
    if len(ticked) != 2:
        number = {0: "none is", 1: "one is"}.get(len(ticked), f"{len(ticked)} are")
        abort(422, TWO_TO_COMPARE.format(number))
    return htmx.go(url_for(".compare", a=f"{ticked[0]}.1", b=f"{ticked[1]}.1"))


def _wanted(filters: Filters) -> list[Listed]:
    """What a twin carries: all that match, or the page that its address names."""
    if "page" in request.args:
        return evals.page(me(), filters).evals
    return evals.every(me(), filters)


def _list(filters: Filters) -> Response:
    page = evals.page(me(), filters)
    context: dict[str, Any] = {
        "filters": filters,
        "page": page,
        "page_size": evals.PAGE_SIZE,
        "anything": bool(page.total) or evals.has_any(me()),
        "ticked": ids(request.args.getlist("eval")),
        "active": any(one.state in ACTIVE_STATES for one in page.evals),
    }
    if not htmx.is_htmx():
        context |= {"states": STATE_CHOICES, "suites": evals.suites_of(me())}
    response = htmx.page(PAGE, FRAGMENT, **context)
    if request.headers.get("HX-Trigger") == FORM_ID:
        response.headers["HX-Push-Url"] = url_for(".list_evals", **filters.args())
    return response


def _as_data(one: Listed) -> dict[str, Any]:
    row, summary = one.row, one.summary
    return {
        "id": row.id,
        "name": row.name,
        "url": url_for(".show", eval_id=row.id),
        "suite": one.suite,
        "state": one.state,
        "models": [f"{t['provider']}/{t['model']}" for t in row.spec["targets"]],
        "created_at": row.created_at,
        "finished_at": row.finished_at,
        "cases": summary.cases,
        "best": str(summary.best.ref) if summary.best else None,
        "passed": summary.rate.passed if summary.best else None,
        "counted": summary.rate.counted if summary.best else None,
        "share": summary.rate.share,
        "no_answer": summary.failed,
    }
