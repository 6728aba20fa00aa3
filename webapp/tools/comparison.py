"""Two sides compared case by case; a side is a model of an evaluation."""

from __future__ import annotations

from typing import Any, NamedTuple

from engine.report.numbers import count
from webapp.access import own_or_404
from webapp.benchmark.words import plural
from webapp.models import Eval
from webapp.tools import matrix, paired, words
from webapp.tools.cells import CaseRow, Column, Figures, figures
from webapp.tools.matrix import Shown
from webapp.tools.paired import Pair, same
from webapp.tools.rates import Rate, rate


class Side(NamedTuple):
    """One side; `key` names it in an address: "17.2" is the second model of evaluation 17."""

    key: str
    row: Eval
    known: Figures
    column: Column
    rate: Rate


class Line(NamedTuple):
    """A case that both have a score for, and how it differs."""

    a: CaseRow
    b: CaseRow
    first: Shown
    second: Shown
    word: str


class Compared(NamedTuple):
    """`lines` are the cases that differ; `left_out` counts those that cannot be compared."""

    a: Side
    b: Side
    pair: Pair
    lines: list[Line]
    left_out: int
    headline: str
    notes: list[str]


def side(key: str) -> Side | None:
    """The side of an address; None for one that names nothing. 404 for a stranger's."""
    number, _, place = key.partition(".")
    if not (number.isascii() and number.isdecimal() and len(number) < 19):
        return None
    row = own_or_404(Eval, int(number))
    known = figures(row)
    chosen = int(place[:4]) if place.isascii() and place.isdecimal() else 1
    if not 0 < chosen <= len(known.columns):
        return None
    column = known.columns[chosen - 1]
    return Side(f"{row.id}.{chosen}", row, known, column, rate(known, column))


def compared(a: Side, b: Side) -> Compared:
    """Both sides on the cases that ask the same in both."""
    cases = [
        (case, other)
        for case in a.known.cases
        if (other := b.known.by_id.get(case.id)) is not None and same(case, other)
    ]
    cells = [(a.known.cell(one, a.column), b.known.cell(two, b.column)) for one, two in cases]
    verdicts = [(first.passes, second.passes) for first, second in cells]
    found = paired.compared(a.column, b.column, cells)
    lines = [
        _line(a, b, one, two, bool(first))
        for (one, two), (first, second) in zip(cases, verdicts, strict=True)
        if None not in (first, second) and first != second
    ]
    lines.sort(key=lambda line: line.word)
    left_out = max(len(a.known.cases), len(b.known.cases)) - found.counted
    return Compared(a, b, found, lines, left_out, *_said(found))


def choices(rows: list[Any]) -> list[tuple[str, str]]:
    """Every model of every evaluation, to choose from."""
    found = []
    for row in rows:
        labels = {(t["provider"], t["model"]): t["label"] for t in row.targets}
        for number, ref in enumerate(row.spec["targets"], 1):
            label = labels.get((ref["provider"], ref["model"])) or ref["model"]
            found.append((f"{row.id}.{number}", f"{label} · {row.name}"))
    return found


def _line(a: Side, b: Side, one: CaseRow, two: CaseRow, first: bool) -> Line:
    return Line(
        one,
        two,
        matrix.shown(a.known.cell(one, a.column), a.column),
        matrix.shown(b.known.cell(two, b.column), b.column),
        "only A passes" if first else "only B passes",
    )


def _said(found: Pair) -> tuple[str, list[str]]:
    """The answer in a sentence, and what it rests on."""
    if not found.counted:
        return "Nothing can be compared: no case has a score on both sides", []
    total = plural(found.counted, "case")
    if not found.only_a and not found.only_b:
        return f"A and B pass and fail the same {total}", []
    better, gain, loss = ("B", found.only_b, found.only_a)
    if found.only_a >= found.only_b:
        better, gain, loss = ("A", found.only_a, found.only_b)
    other = "A" if better == "B" else "B"
    if gain == loss:
        return f"A and B pass equally many of {total}", [
            f"Each passes {plural(gain, 'case')} that the other fails."
        ]
    headline = f"{better} passes {count(gain - loss)} more of {total}"
    note = f"It passes {count(gain)} that {other} fails"
    note += f" and fails {count(loss)} that {other} passes" if loss else ""
    return headline, [f"{note}: {words.chance(found)}."]
