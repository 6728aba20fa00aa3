"""Everything the page of an evaluation shows, for the page and for its live fragments alike."""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import fmean
from typing import Any, NamedTuple

from engine.report.numbers import count, ms, percent, usd
from engine.stats import wilson
from engine.tools.aggregates import CaseCount, pass_at_k, pass_hat_k
from jobs.states import RESUMABLE
from jobs.submit import expected_start
from webapp.models import ACTIVE_STATES, Eval, Job
from webapp.tools import words
from webapp.tools.cells import (
    PARTS,
    CaseRow,
    Column,
    Figures,
    figures,
)
from webapp.tools.progress import progress
from webapp.tools.rates import Rate, by_category, error_counts, rate


class Card(NamedTuple):
    title: str
    value: str
    unit: str
    note: str


class ModelRow(NamedTuple):
    """A model in the summary. `low` and `high` are the ends of the interval, `share` the
    share that passes, all from 0 to 1; None where nothing is scored."""

    column: Column
    rate: Rate
    low: float | None
    high: float | None
    at_k: float | None
    hat_k: float | None
    parts: list[float | None]
    flaky: int
    failed: int
    e2e_ms: float | None
    cost_usd: float | None


def context(row: Eval) -> dict[str, Any]:
    """What the templates of an evaluation need; cheap to ask for often."""
    job: Job | None = row.job
    state = job.state if job else "done"
    known = figures(row)
    return _answers(known, state in ACTIVE_STATES) | {
        "row": row,
        "job": job,
        "state": state,
        "active": state in ACTIVE_STATES,
        "resumable": state in RESUMABLE,
        "spec": known.spec,
        "known": known,
        "subtitle": words.subtitle(known.spec, known),
        "took_s": _took_s(job),
        "progress": progress(known, job),
        "start": words.start(expected_start(job)) if job and state == "queued" else "",
        "notices": list(dict.fromkeys(str(notice["text"]) for notice in row.notices)),
    }


def _answers(known: Figures, active: bool) -> dict[str, Any]:
    """The sentence that stands first, and the figures below it."""
    parts = parts_of(known)
    headline, certainty, notes = words.verdict(known, active)
    return {
        "headline": headline,
        "certainty": certainty,
        "notes": notes,
        "cards": cards(known),
        "k": _k(known),
        "parts": parts,
        "models": models(known, parts),
        "categories": categories(known),
        "errors": error_counts(known, active),
    }


def parts_of(known: Figures) -> list[str]:
    """The parts of the score that some model has."""
    return [name for name in PARTS if any(name in t.parts for t in known.totals.values())]


def models(known: Figures, parts: Sequence[str]) -> list[ModelRow]:
    """The summary by model, in the order of the spec, so that nothing moves while it runs."""
    k = _k(known)
    found = []
    for column in known.columns:
        passed = rate(known, column)
        cells = [known.cell(case, column) for case in known.cases]
        totals = known.totals.get(column.number)
        counts = [CaseCount(cell.passed, cell.scored) for cell in cells]
        found.append(
            ModelRow(
                column,
                passed,
                *wilson(passed.passed, passed.counted),
                _mean([pass_at_k(one, k) for one in counts]),
                _mean([pass_hat_k(one, k) for one in counts]),
                [totals.parts.get(name) if totals else None for name in parts],
                sum(cell.outcome == "flaky" for cell in cells),
                sum(cell.failed for cell in cells),
                totals.e2e_ms if totals else None,
                totals.cost_usd if totals else None,
            )
        )
    return found


def categories(known: Figures) -> list[tuple[str, int, list[Rate]]]:
    """Category, its number of cases, and the rate of each model in it."""
    groups = by_category(known)
    return [
        (name, len(cases), [rate(known, column, cases) for column in known.columns])
        for name, cases in groups.items()
    ]


def cards(known: Figures) -> list[Card]:
    """The figures that stand first."""
    rates = [(column, rate(known, column)) for column in known.columns]
    scored = [(column, found) for column, found in rates if found.counted]
    best = max(scored, key=lambda item: item[1].share or 0.0, default=None)
    several = len(known.columns) > 1
    shown = [
        Card("Most cases passed", percent(best[1].share) if best else "–", "",
             f"{best[0].label}, {words.passes(best[1])}" if best else "")
        if several else
        Card("Cases passed", percent(best[1].share) if best else "–", "",
             words.passes(best[1]) if best else ""),
    ]  # fmt: skip
    shown.append(_agreement(known, several))
    if any(case.trials > 1 for case in known.cases):
        flaky = sum(cell.outcome == "flaky" for cell in known.cells.values())
        shown.append(
            Card("Flaky", count(flaky), f"of {count(len(known.cells))}", "some trials pass")
        )
    shown.append(_quickest(known))
    shown.append(_cost(known))
    return shown


def _agreement(known: Figures, several: bool) -> Card:
    every = [_all(known, case) for case in known.cases]
    title = "Passed by every model" if several else "Failed"
    number = sum(v is True for v in every) if several else sum(v is False for v in every)
    none = sum(v is False for v in every)
    note = f"{count(none)} failed by every model" if several else ""
    return Card(title, count(number), f"of {count(len(known.cases))}", note)


def _all(known: Figures, case: CaseRow) -> bool | None:
    verdicts = {known.cell(case, column).passes for column in known.columns}
    return verdicts.pop() if len(verdicts) == 1 else None


def _quickest(known: Figures) -> Card:
    times = {c: known.totals[c.number].e2e_ms for c in known.columns if c.number in known.totals}
    timed = {column: value for column, value in times.items() if value is not None}
    if not timed:
        return Card("Time for a case", "–", "", "")
    first = min(timed, key=lambda column: timed[column])
    note = f"{first.label}, the quickest" if len(known.columns) > 1 else "mean"
    return Card("Time for a case", ms(timed[first]), "ms", note)


def _cost(known: Figures) -> Card:
    costs = [t.cost_usd for t in known.totals.values() if t.cost_usd is not None]
    if not costs:
        return Card("Cost", "–", "", "price unknown" if known.totals else "")
    return Card("Cost", usd(math.fsum(costs)), "", f"{count(known.done - known.failed)} answers")


def _k(known: Figures) -> int:
    """The k of pass@k: as many trials as every case has."""
    return min((case.trials for case in known.cases), default=1)


def _mean(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return fmean(known) if known else None


def _took_s(job: Job | None) -> float | None:
    if job is None or job.started_at is None or job.finished_at is None:
        return None
    return float(job.finished_at - job.started_at)
