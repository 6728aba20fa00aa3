"""Two models compared case by case."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

import numpy as np

from engine.stats import Interval, compare
from engine.stats.comparison import ALPHA
from engine.stats.intervals import NO_INTERVAL, RESAMPLES, SEED
from engine.tools.aggregates import CaseCount, Result, counts_by_case

Better = Literal["a", "b", "not distinguishable"]


@dataclass(frozen=True, slots=True)
class CasePair:
    """A case that both models have a score for: the share of passed trials of each."""

    case: str
    a: float
    b: float


@dataclass(frozen=True, slots=True)
class ModelComparison:
    """a against b over the cases that both were scored on.

    `difference` is the mean of the cases' differences in pass rate with a 95 % bootstrap
    interval over cases. `p_value` is two-sided, of the test that swaps a and b within cases
    (for one trial a case it is McNemar's exact test). `smallest_p` is the least that so many
    differing cases could give. `only_a` and `only_b` list the cases that one model passed
    more often. None for no common case.
    """

    a: str
    b: str
    cases: tuple[CasePair, ...]
    left_out: int
    difference: float | None = None
    ci: Interval = NO_INTERVAL
    p_value: float | None = None
    smallest_p: float = 1.0

    @property
    def only_a(self) -> tuple[CasePair, ...]:
        return tuple(pair for pair in self.cases if pair.a > pair.b)

    @property
    def only_b(self) -> tuple[CasePair, ...]:
        return tuple(pair for pair in self.cases if pair.b > pair.a)

    @property
    def better(self) -> Better:
        """Who passes more cases, when the test says so at 5 %."""
        if self.p_value is None or self.p_value > ALPHA or not self.difference:
            return "not distinguishable"
        return "a" if self.difference > 0 else "b"


def compare_models(results: Iterable[Result], a: str, b: str) -> ModelComparison:
    """The comparison; cases that one of them has no score for are left out and counted."""
    every = [item for item in results if item.model in (a, b)]
    counts = counts_by_case(every)
    cases = list(dict.fromkeys(item.case for item in every))
    both = [case for case in cases if (a, case) in counts and (b, case) in counts]
    pairs = tuple(CasePair(case, _rate(counts[a, case]), _rate(counts[b, case])) for case in both)
    left_out = len(cases) - len(both)
    if not pairs:
        return ModelComparison(a, b, pairs, left_out)
    differing = [pair for pair in pairs if pair.a != pair.b]
    test = compare([p.a for p in differing], [p.b for p in differing], paired=True)
    differences = np.array([pair.a - pair.b for pair in pairs])
    return ModelComparison(
        a,
        b,
        pairs,
        left_out,
        float(differences.mean()),
        _interval(differences),
        1.0 if test.p_value is None else test.p_value,
        test.smallest_p,
    )


def _rate(count: CaseCount) -> float:
    return count.passed / count.n


def _interval(differences: np.ndarray[tuple[int], np.dtype[np.float64]]) -> Interval:
    """Percentile bootstrap of the mean; differences take few values, so the counts of each
    value are drawn instead of the cases."""
    n = differences.size
    if n < 2:
        return NO_INTERVAL
    values, counts = np.unique(differences, return_counts=True)
    drawn = np.random.default_rng((SEED, n)).multinomial(n, counts / n, size=RESAMPLES)
    low, high = np.quantile(drawn @ values / n, [0.025, 0.975])
    return float(low), float(high)
