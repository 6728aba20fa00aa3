"""Two evaluations, or two models of one, compared case by case."""

from __future__ import annotations

from flask import Response, jsonify, make_response, render_template, request, url_for

from webapp.access import me
from webapp.tools import comparison, evals
from webapp.tools.blueprint import bp
from webapp.tools.comparison import Compared


@bp.get("/compare")
def compare() -> Response:
    """The comparison of `?a=` and `?b=`; where one is missing, what to choose from."""
    a, b = (comparison.side(request.args.get(name, "")) for name in ("a", "b"))
    choices = comparison.choices(evals.recent(me()))
    if a is not None and b is None:
        b = _next(a, choices)
    found = comparison.compared(a, b) if a and b else None
    context = {"choices": choices, "a": a, "b": b, "found": found}
    return make_response(render_template("tools/compare.html", **context))


@bp.get("/compare.json")
def compare_json() -> Response:
    """The same as data."""
    a, b = (comparison.side(request.args.get(name, "")) for name in ("a", "b"))
    if a is None or b is None:
        sentence = "Name both sides, as in ?a=17.1&b=18.1: evaluation and place of the model."
        return make_response(jsonify(error=sentence, errors={}), 422)
    return jsonify(_as_data(comparison.compared(a, b)))


def _next(a: comparison.Side, choices: list[tuple[str, str]]) -> comparison.Side | None:
    """Another model of the same evaluation is the first thing to compare with."""
    of_it = [key for key, _ in choices if key.startswith(f"{a.row.id}.") and key != a.key]
    return comparison.side(of_it[0]) if of_it else None


def _as_data(found: Compared) -> dict[str, object]:
    pair = found.pair
    return {
        **{
            name: {
                "eval": side.row.id,
                "name": side.row.name,
                "url": url_for(".show", eval_id=side.row.id),
                "model": str(side.column.ref),
                "passed": side.rate.passed,
                "cases": side.rate.counted,
            }
            for name, side in (("a", found.a), ("b", found.b))
        },
        "both": pair.both,
        "only_a": pair.only_a,
        "only_b": pair.only_b,
        "neither": pair.neither,
        "not_compared": found.left_out,
        "difference": pair.test.difference,
        "ci95": list(pair.test.ci),
        "p_value": pair.test.p_value,
        "differ": [{"case": line.a.id, "passes": line.word.split()[1]} for line in found.lines],
    }
