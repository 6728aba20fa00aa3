"""Pages of this area: every run, and two of them compared."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from flask import (
    Blueprint,
    Response,
    jsonify,
    make_response,
    redirect,
    render_template,
    request,
    url_for,
)
from werkzeug.wrappers import Response as AnyResponse

from engine.report.wording import FIRST_TOKEN, SPEED
from jobs.results import run_results
from webapp.access import me, own_or_404
from webapp.history import comparison, filters, queries
from webapp.history.rows import COLUMNS, rows, to_csv
from webapp.models import Run

bp = Blueprint("history", __name__)
SIDES = 2
STATES = [(name, "Waiting" if name == "queued" else name.capitalize()) for name in filters.STATES]


@bp.get("/history")
def index() -> Response:
    """The runs that the filters of the address leave, one page of them."""
    chosen, errors = filters.read(request.args)
    found = queries.count(me(), chosen)
    providers, models = queries.names(me())
    page = render_template(
        "history/index.html",
        filters=chosen,
        errors=errors,
        rows=rows(queries.listed(me(), chosen)),
        columns=COLUMNS,
        found=found,
        pages=max(1, -(-found // queries.PAGE_SIZE)),
        anything=bool(found) or queries.has_any(me()),
        providers=_options(providers),
        models=_options(models),
        states=STATES,
    )
    return make_response(page, 422 if errors else 200)


@bp.get("/history.json")
def index_json() -> Response:
    """Every run that the same filters leave, with full values."""
    chosen, errors = filters.read(request.args)
    if errors:
        return make_response(jsonify(error=next(iter(errors.values())), errors=errors), 422)
    found = rows(queries.listed(me(), chosen, every=True))
    return jsonify(runs=[row.as_data() for row in found])


@bp.get("/history.csv")
def index_csv() -> Response:
    """The same as a table."""
    chosen, errors = filters.read(request.args)
    if errors:
        return make_response(next(iter(errors.values())), 422)
    text = to_csv(rows(queries.listed(me(), chosen, every=True)))
    response = Response(text, mimetype="text/csv")
    response.headers["Content-Disposition"] = 'attachment; filename="history.csv"'
    return response


@bp.get("/history/compare")
def compare() -> AnyResponse:
    """Two runs side by side: `?a=` and `?b=`; `?run=` twice is what ticked rows send."""
    ticked = request.args.getlist("run", type=int)
    if len(ticked) == SIDES:
        # The list shows new runs first; the older one is what the newer is compared with.
        return redirect(url_for(".compare", a=min(ticked), b=max(ticked)), 303)
    chosen = {
        side: own_or_404(Run, request.args.get(side, 0, type=int))
        for side in ("a", "b")
        if request.args.get(side)
    }
    problem = ""
    if ticked or "run" in request.args:
        problem = f"Tick exactly two runs to compare; {len(ticked)} {_were(len(ticked))} ticked."
    elif len(chosen) == SIDES and chosen["a"].id == chosen["b"].id:
        problem = "Choose two different runs."
    shown: dict[str, Any] = {} if problem or len(chosen) < SIDES else _sides(**chosen)
    page = render_template(
        "history/compare.html",
        problem=problem,
        choices=[(run.id, _named(run)) for run in queries.recent(me())],
        a=chosen.get("a"),
        b=chosen.get("b"),
        **shown,
    )
    return make_response(page, 422 if problem else 200)


def _options(names: list[str]) -> list[tuple[str, str]]:
    return [(name, name) for name in names]


def _named(run: Run) -> str:
    started = datetime.fromtimestamp(run.created_at, UTC)
    return f"{run.name} ({started.day} {started:%b %Y, %H:%M} UTC)"


def _were(number: int) -> str:
    return "was" if number == 1 else "were"


def _sides(a: Run, b: Run) -> dict[str, Any]:
    first, second = run_results(a), run_results(b)
    speed = comparison.lines(first, second, SPEED)
    return {
        "compared": True,
        "sentence": comparison.sentence(speed or comparison.lines(first, second, FIRST_TOKEN)),
        "tables": [
            ("Output speed", SPEED.unit, speed),
            ("First token", FIRST_TOKEN.unit, comparison.lines(first, second, FIRST_TOKEN)),
        ],
    }
