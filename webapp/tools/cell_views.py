"""The permalink of a cell."""

from __future__ import annotations

from flask import abort, render_template, request

from webapp.access import own_or_404
from webapp.models import Eval
from webapp.tools import cell as close
from webapp.tools import matrix
from webapp.tools.blueprint import bp
from webapp.tools.cells import figures


@bp.get("/evals/<int:eval_id>/cases/<int:place>/<int:column>")
def cell(eval_id: int, place: int, column: int) -> str:
    """A case with a model: what was asked, called and expected; `?trial=` chooses the try,
    from 1. The filters of the matrix go along, so that the neighbours are those that match."""
    row = own_or_404(Eval, eval_id)
    known = figures(row)
    case, data = close.case_of(known, row, place)
    model = close.column_of(known, column)
    trials = close.trials_of(row, case, model)
    number = request.args.get("trial", 1, type=int)
    if trials and not 0 < number <= len(trials):
        abort(404)
    trial = trials[number - 1] if trials else None
    filters = matrix.read(request.args)
    return render_template(
        "tools/cell.html", row=row, known=known, case=case, model=model, trials=trials,
        trial=trial, number=number, filters=filters, category=case.category,
        around=matrix.neighbours(known, case, filters),
        cells=[matrix.shown(known.cell(case, one), one) for one in known.columns],
        **close.context(row, data, trial),
    )  # fmt: skip
