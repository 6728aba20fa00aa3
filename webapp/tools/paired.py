"""Two models on the same cases: who passes what the other fails, and whether that is chance.

The test is `engine.tools.pairs`, which sees every trial of a case.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from engine.tools.aggregates import Result
from engine.tools.pairs import ModelComparison, compare_models
from webapp.tools.cells import CaseRow, Cell, Column, Figures


class Pair(NamedTuple):
    """Cases that both have a score for: passed by both, by one alone, by neither. `test` says
    whether the difference of the pass rates is more than chance."""

    a: Column
    b: Column
    both: int
    only_a: int
    only_b: int
    neither: int
    test: ModelComparison

    @property
    def counted(self) -> int:
        return self.both + self.only_a + self.only_b + self.neither


def pair(known: Figures, a: Column, b: Column) -> Pair:
    """Two models of one evaluation."""
    cases = known.cases
    return compared(a, b, [(known.cell(one, a), known.cell(one, b)) for one in cases])


def compared(a: Column, b: Column, cells: list[tuple[Cell, Cell]]) -> Pair:
    """The same from the cells of both sides, case by case."""
    verdicts = [(one.passes, two.passes) for one, two in cells]
    results = [
        result
        for place, (one, two) in enumerate(cells)
        for name, cell in (("a", one), ("b", two))
        for result in _results(name, str(place), cell)
    ]
    return Pair(
        a,
        b,
        verdicts.count((True, True)),
        verdicts.count((True, False)),
        verdicts.count((False, True)),
        verdicts.count((False, False)),
        compare_models(results, "a", "b"),
    )


def same(case: CaseRow, other: CaseRow) -> bool:
    """Whether two cases ask the same."""
    return case.id == other.id and case.prompt == other.prompt


def _results(model: str, case: str, cell: Cell) -> Iterable[Result]:
    """The trials of a cell, as many passed as there are."""
    return (Result(model, case, "", place < cell.passed) for place in range(cell.scored))
