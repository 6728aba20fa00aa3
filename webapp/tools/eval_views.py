"""The page of an evaluation while it runs and afterwards, its twins, and what is done with it."""

from __future__ import annotations

from typing import Any

from flask import Response, abort, render_template, request, url_for

from jobs import submit
from jobs.evals import retry_errors
from webapp import htmx, removal
from webapp.access import own_or_404
from webapp.downloads import download
from webapp.models import Eval
from webapp.tools import documents_out, matrix, report
from webapp.tools.blueprint import bp

PAGE, MATRIX = "tools/eval.html", "tools/_matrix.html"
FORM_ID = "matrix-filters"


@bp.get("/evals/<int:eval_id>")
def show(eval_id: int) -> Response:
    """An evaluation; htmx asks for the matrix alone."""
    row = own_or_404(Eval, eval_id)
    filters = matrix.read(request.args)
    context = report.context(row)
    context |= {"filters": filters, "page": matrix.page(context["known"], filters)}
    response = htmx.page(PAGE, MATRIX, **context, **_choices())
    if request.headers.get("HX-Trigger") == FORM_ID:
        response.headers["HX-Push-Url"] = url_for(".show", eval_id=row.id, **filters.args())
    return response


@bp.get("/evals/<int:eval_id>.json")
def show_json(eval_id: int) -> Response:
    """The document "studio.eval/1", with every trial."""
    row = own_or_404(Eval, eval_id)
    return download(documents_out.to_json(row), "application/json", f"evaluation-{row.id}.json")


@bp.get("/evals/<int:eval_id>.csv")
def show_csv(eval_id: int) -> Response:
    """One line a trial."""
    row = own_or_404(Eval, eval_id)
    return download(documents_out.to_csv(row), "text/csv", f"evaluation-{row.id}.csv")


@bp.get("/evals/<int:eval_id>.html")
def show_html(eval_id: int) -> Response:
    """The report as a single file that needs no server."""
    row = own_or_404(Eval, eval_id)
    context = report.context(row)
    lines = matrix.every(context["known"])
    page = render_template("tools/export.html", lines=lines, style=documents_out.style(), **context)
    return download(page, "text/html", f"evaluation-{row.id}.html")


@bp.post("/evals/<int:eval_id>/resume")
def resume(eval_id: int) -> Response:
    """Ask what is missing, and look on."""
    row = own_or_404(Eval, eval_id)
    if row.job is None or not submit.resume(row.job):
        abort(409, "This evaluation cannot be resumed: it is waiting, running or done.")
    return htmx.go(url_for(".show", eval_id=row.id))


@bp.post("/evals/<int:eval_id>/retry")
def retry(eval_id: int) -> Response:
    """Ask again only where a request failed; what was scored stays."""
    row = own_or_404(Eval, eval_id)
    if row.job is None or not retry_errors(row.job):
        abort(409, "There is nothing to retry, or the evaluation still runs.")
    return htmx.go(url_for(".show", eval_id=row.id))


@bp.post("/evals/<int:eval_id>/delete")
def delete(eval_id: int) -> Response:
    """Put an evaluation away; for some minutes it can be brought back."""
    undo = url_for(".undelete", eval_id=eval_id)
    return removal.delete_one(Eval, eval_id, to=url_for(".index"), undo=undo)


@bp.post("/evals/<int:eval_id>/undelete")
def undelete(eval_id: int) -> Response:
    """Bring a deleted evaluation back."""
    return removal.restore_one(Eval, eval_id, to=url_for(".show", eval_id=eval_id))


def _choices() -> dict[str, Any]:
    return {"outcomes": matrix.SHOWN, "orders": matrix.ORDERS}
