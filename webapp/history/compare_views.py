"""Two runs compared: the page, its twins, and the way to it from ticked runs."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from flask import Response, abort, jsonify, make_response, render_template, request, url_for

from engine.report import Result, results
from jobs.results import run_spec
from jobs.store import load_samples, load_targets
from webapp import htmx
from webapp.access import me, own_or_404
from webapp.downloads import download
from webapp.history import comparison, deltas, fairness, queries, rows, words
from webapp.history.blueprint import bp
from webapp.history.comparison import Compared
from webapp.listing import ids
from webapp.models import Run

TWO_TO_COMPARE = "Tick the two benchmarks to compare; {} ticked."
SAME = "A and B are the same benchmark. Choose another one for one of them."
CHOOSE = "Choose two benchmarks that measured the same models; B is compared with A."


@bp.post("/history/compare")
def compare_ticked() -> Response:
    """From two ticked runs to their comparison: B, the newer one, against A."""
    ticked = ids(request.form.getlist("run"))
    if len(ticked) != 2:
        number = {0: "none is", 1: "one is"}.get(len(ticked), f"{len(ticked)} are")
        abort(422, TWO_TO_COMPARE.format(number))
    runs = sorted(
        (own_or_404(Run, run_id) for run_id in ticked), key=lambda run: (run.created_at, run.id)
    )
    return htmx.go(url_for("history.compare", a=runs[0].id, b=runs[1].id))


@bp.get("/history/compare")
def compare() -> Response:
    """Who was faster, by how much, and how sure that is; without two runs, which to take."""
    a, b = _side("a"), _side("b")
    if a is None or b is None or a.id == b.id:
        return _choose(a, b)
    compared = _compared(a, b)
    return make_response(
        render_template(
            "history/compare.html",
            sides=[("A", a), ("B", b)],
            verdicts=words.verdicts(compared),
            cautions=fairness.cautions(a, b, compared.lines),
            tables=deltas.tables(compared),
            left=deltas.left(compared),
            tiers=comparison.sizes(compared) != {0},
        )
    )


@bp.get("/history/compare.json")
def compare_json() -> Response:
    """The comparison as data with full values."""
    a, b = _both()
    compared = _compared(a, b)
    return jsonify(
        a=rows.run_data(a),
        b=rows.run_data(b),
        comparisons=[line.as_data() for line in compared.lines],
        not_compared=[left.as_data() for left in compared.left],
    )


@bp.get("/history/compare.csv")
def compare_csv() -> Response:
    """The comparisons of the JSON, one a line."""
    a, b = _both()
    return download(deltas.to_csv(_compared(a, b)), "text/csv", f"compare-{a.id}-{b.id}.csv")


def _side(name: str) -> Run | None:
    """The run that the address names, None when it names none; 404 when it is not mine."""
    text = request.args.get(name, "").strip()
    if not text:
        return None
    found = ids([text])
    return own_or_404(Run, found[0]) if found else abort(404)


def _both() -> tuple[Run, Run]:
    a, b = _side("a"), _side("b")
    if a is None or b is None:
        abort(422, CHOOSE)
    if a.id == b.id:
        abort(422, SAME)
    return a, b


def _choose(a: Run | None, b: Run | None) -> Response:
    same = a is not None and b is not None
    choices = {run.id: run for run in (a, b) if run is not None}
    choices |= {run.id: run for run in queries.recent(me())}
    context: dict[str, Any] = {
        "problem": SAME if same else "",
        "sentence": CHOOSE,
        "choices": [(run.id, _with_time(run)) for run in choices.values()],
        "a": a.id if a else "",
        "b": b.id if b else "",
    }
    return make_response(render_template("history/choose.html", **context), 422 if same else 200)


def _with_time(run: Run) -> str:
    started = datetime.fromtimestamp(run.created_at, UTC)
    return f"{run.name} · {started.day} {started:%b %Y, %H:%M} UTC"


def _compared(a: Run, b: Run) -> Compared:
    return comparison.compare_runs(_results(a), _results(b))


def _results(run: Run) -> list[Result]:
    """The run's results but for the pace between tokens, whose arrival times are most of
    what is stored."""
    return results(load_samples(run, light=True), load_targets(run), run_spec(run))
