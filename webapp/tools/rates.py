"""What cells add up to: how many cases a model passes, by category, and what went wrong."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import NamedTuple

from webapp.tools.cells import WORST, CaseRow, Column, Figures


class Rate(NamedTuple):
    """`passed` of `counted` cases."""

    passed: int
    counted: int

    @property
    def share(self) -> float | None:
        return self.passed / self.counted if self.counted else None


def rate(known: Figures, column: Column, cases: Sequence[CaseRow] | None = None) -> Rate:
    """How many of the cases a model passes, of those that have a score."""
    verdicts = [known.cell(case, column).passes for case in cases or known.cases]
    counted = [verdict for verdict in verdicts if verdict is not None]
    return Rate(sum(counted), len(counted))


def by_category(known: Figures) -> dict[str, list[CaseRow]]:
    """The cases under their categories, in the order of the suite."""
    found: dict[str, list[CaseRow]] = defaultdict(list)
    for case in known.cases:
        found[case.category].append(case)
    return dict(found)


def error_counts(known: Figures, active: bool = False) -> dict[str, dict[int, int]]:
    """Error class → column → cases in which it fired, the most frequent first; the worst first
    while trials land (`active`), so that lines keep their order."""
    found: dict[str, dict[int, int]] = defaultdict(lambda: defaultdict(int))
    for (_, number), cell in known.cells.items():
        for name in cell.errors:
            found[name][number] += 1
    worst = sorted(found, key=lambda name: (WORST.get(name, 99), name))
    ordered = worst if active else sorted(worst, key=lambda name: -sum(found[name].values()))
    return {name: dict(found[name]) for name in ordered}
