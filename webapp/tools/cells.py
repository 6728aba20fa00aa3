"""The cells of an evaluation: each case and model with what its trials came to.

The database adds up the trials, so that a thousand cases of eight models cost one query.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, NamedTuple

from peewee import fn

from engine.specs import TargetRef, ToolEvalSpec
from engine.tools.aggregates import CaseCount, case_passes
from engine.tools.answers import ERROR_TYPES
from webapp.models import Eval, TrialRow

OUTCOMES = ("pass", "fail", "flaky", "infrastructure", "waiting")
WORST = {name: place for place, name in enumerate(ERROR_TYPES)}


class Column(NamedTuple):
    """A model of the evaluation; `number` counts from 1 and is its colour."""

    number: int
    ref: TargetRef
    label: str
    provider_label: str


class CaseRow(NamedTuple):
    """A case of the evaluation; `place` counts from 1 and never changes, since the suite that
    was evaluated does not."""

    place: int
    id: str
    prompt: str
    category: str
    trials: int
    threshold: float


class Cell(NamedTuple):
    """What the trials of a case with a model came to: `passed` of `scored`, `failed` requests
    that have no score, of `expected` trials. `overall` is the mean score, `errors` the classes
    that fired, the worst first; `trouble` says what failed. `retried` counts those of the failed
    requests that are asked again."""

    passed: int = 0
    scored: int = 0
    failed: int = 0
    expected: int = 1
    threshold: float = 1.0
    overall: float | None = None
    errors: tuple[str, ...] = ()
    trouble: str = ""
    retried: int = 0

    @property
    def ended(self) -> int:
        """Trials that need no further request."""
        return self.scored + self.failed - self.retried

    @property
    def outcome(self) -> str:
        """One of OUTCOMES. A failed request is no answer of the model."""
        if self.scored:
            if self.passed == self.scored:
                return "pass"
            return "flaky" if self.passed else "fail"
        return "infrastructure" if self.failed else "waiting"

    @property
    def passes(self) -> bool | None:
        """Whether enough trials pass; None while there is no score."""
        if not self.scored:
            return None
        return case_passes(CaseCount(self.passed, self.scored), self.threshold)


NOTHING = Cell()


@dataclass(frozen=True)
class Figures:
    """All cells, by the place of the case and the number of the column."""

    spec: ToolEvalSpec
    columns: tuple[Column, ...]
    cases: tuple[CaseRow, ...]
    cells: Mapping[tuple[int, int], Cell]
    totals: Mapping[int, Totals] = field(default_factory=dict)

    def cell(self, case: CaseRow, column: Column) -> Cell:
        found = self.cells.get((case.place, column.number))
        return found or NOTHING._replace(expected=case.trials, threshold=case.threshold)

    @cached_property
    def by_id(self) -> dict[str, CaseRow]:
        return {case.id: case for case in self.cases}

    @property
    def expected(self) -> int:
        """How many trials there are in all."""
        return len(self.columns) * sum(case.trials for case in self.cases)

    @property
    def done(self) -> int:
        return sum(cell.ended for cell in self.cells.values())

    @property
    def failed(self) -> int:
        return sum(cell.failed for cell in self.cells.values())


class Totals(NamedTuple):
    """Sums over the trials of a model: tokens, USD, and the mean of the answers' ms; None
    where nothing is known."""

    cost_usd: float | None
    e2e_ms: float | None
    tokens: int | None
    parts: Mapping[str, float]


def figures(row: Eval) -> Figures:
    """What is known of an evaluation now."""
    spec = ToolEvalSpec.model_validate(row.spec)
    columns = columns_of(row, spec)
    cases = cases_of(row, spec)
    numbers = {(column.ref.provider, column.ref.model): column.number for column in columns}
    places = {case.id: case for case in cases}
    cells = {}
    for case_id, provider, model, *rest in _grouped(row):
        case, number = places.get(case_id), numbers.get((provider, model))
        if case is not None and number is not None:
            cells[case.place, number] = _cell(case, *rest)
    return Figures(spec, columns, cases, cells, _totals(row, numbers))


def columns_of(row: Eval, spec: ToolEvalSpec) -> tuple[Column, ...]:
    """The models, named as they were when the evaluation began."""
    known = {(item["provider"], item["model"]): item for item in row.targets}
    found = []
    for number, ref in enumerate(spec.targets, 1):
        item = known.get((ref.provider, ref.model), {})
        label = item.get("label") or ref.model
        found.append(Column(number, ref, label, item.get("provider_label") or ref.provider))
    return tuple(found)


def cases_of(row: Eval, spec: ToolEvalSpec) -> tuple[CaseRow, ...]:
    """The cases that are evaluated, in the order of the suite."""
    chosen = set(spec.cases)
    every = [case for case in row.suite.get("cases", ()) if not chosen or case["id"] in chosen]
    return tuple(
        CaseRow(
            place,
            case["id"],
            asked(case),
            case.get("category") or "",
            case.get("trials") or spec.trials,
            spec.threshold if case.get("threshold") is None else case["threshold"],
        )
        for place, case in enumerate(every, 1)
    )


def asked(case: Mapping[str, Any]) -> str:
    """What a case asks: its prompt, or the last thing the user says in it."""
    if case.get("prompt"):
        return str(case["prompt"])
    said = [m.get("content") for m in case.get("messages", ()) if m.get("role") == "user"]
    return str(said[-1]) if said else ""


def _grouped(row: Eval) -> Iterable[tuple[Any, ...]]:
    # A retry marks the errors that it repeats as cut off; they are shown until it has them.
    retried = (TrialRow.outcome == "incomplete") & TrialRow.error.is_null(False)
    trouble = (TrialRow.outcome == "infrastructure") | retried
    query: Any = (
        TrialRow.select(
            TrialRow.case_id,
            TrialRow.provider,
            TrialRow.model,
            fn.SUM(TrialRow.passed),
            fn.COUNT(TrialRow.passed),
            fn.SUM(trouble),
            fn.AVG(TrialRow.overall),
            fn.GROUP_CONCAT(TrialRow.error_type),
            fn.MAX(TrialRow.error),
            fn.SUM(retried),
        )
        .where(TrialRow.eval == row.id)
        .group_by(TrialRow.case_id, TrialRow.provider, TrialRow.model)
    )
    found: Iterable[tuple[Any, ...]] = query.tuples()
    return found


def _cell(case: CaseRow, passed: int, scored: int, failed: int, *rest: Any) -> Cell:
    overall, errors, trouble, retried = rest
    names = sorted(set(errors.split(",")), key=lambda name: WORST.get(name, 99)) if errors else ()
    return Cell(
        passed or 0,
        scored,
        failed or 0,
        case.trials,
        case.threshold,
        overall,
        tuple(names),
        trouble or "",
        retried or 0,
    )


def _totals(row: Eval, numbers: Mapping[tuple[str, str], int]) -> dict[int, Totals]:
    """By column: cost, time and tokens of all trials, and the mean of each part of the score."""
    query: Any = (
        TrialRow.select(
            TrialRow.provider,
            TrialRow.model,
            fn.SUM(TrialRow.cost_usd),
            fn.AVG(TrialRow.e2e_ms),
            fn.SUM(TrialRow.input_tokens + TrialRow.output_tokens),
            *(fn.AVG(fn.json_extract(TrialRow.scores, f"$.{part}")) for part in PARTS),
        )
        .where(TrialRow.eval == row.id)
        .group_by(TrialRow.provider, TrialRow.model)
    )
    found = {}
    for provider, model, cost, e2e, tokens, *parts in query.tuples():
        if (provider, model) in numbers:
            known = {p: v for p, v in zip(PARTS, parts, strict=True) if v is not None}
            found[numbers[provider, model]] = Totals(cost, e2e, tokens, known)
    return found


# Parts of the score, in the order in which they are shown.
PARTS = (
    "selection",
    "arguments",
    "schema",
    "order",
    "abstention",
    "state",
    "completion",
    "efficiency",
    "without_repeats",
    "without_detours",
    "argument_source",
)
