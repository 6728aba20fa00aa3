"""Comparing two samples, honestly: permutation test, effect with interval, Holm."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from engine.stats.intervals import (
    NO_INTERVAL,
    RESAMPLES,
    SEED,
    Floats,
    Interval,
    bca,
    jackknife_medians,
    median,
    median_interval,
    resampled_medians,
)

Bools = NDArray[np.bool_]
Verdict = Literal["faster", "slower", "not distinguishable"]
NOT_DISTINGUISHABLE: Verdict = "not distinguishable"
ALPHA = 0.05

# Up to here all regroupings are tried; beyond, RESAMPLES random ones, fewer for large
# samples so that the work stays near BUDGET values (it grows again past BUDGET / 999).
_EXACT_MAX = 10_000
_BUDGET = 4_000_000
_BATCH = 500_000


@dataclass(frozen=True, slots=True)
class Comparison:
    """a against b, in the unit of the values.

    `difference` is median(a) - median(b) and `ratio` median(a) / median(b), for pairs the
    medians of the pairs' differences and ratios; each interval is a 95 % BCa bootstrap
    interval. A ratio is None when something it divides by is 0 and has no interval unless
    all values are positive. `p_value` is two-sided and, after `adjusted`, Holm's. `conclusive` is
    False when so few values could not have shown any difference. All are None for an
    empty side.
    """

    n: tuple[int, int]
    higher_is_better: bool
    difference: float | None = None
    difference_ci: Interval = NO_INTERVAL
    ratio: float | None = None
    ratio_ci: Interval = NO_INTERVAL
    p_value: float | None = None
    smallest_p: float = 1.0

    @property
    def conclusive(self) -> bool:
        """Whether so many values could have shown a difference at all."""
        return self.smallest_p <= ALPHA

    @property
    def verdict(self) -> Verdict:
        """Whether a is faster or slower than b: only when the test says so at 5 % and the
        interval of the difference excludes 0."""
        low, high = self.difference_ci
        if self.p_value is None or low is None or high is None:
            return NOT_DISTINGUISHABLE
        if self.p_value > ALPHA or low <= 0 <= high:
            return NOT_DISTINGUISHABLE
        return "faster" if (low > 0) == self.higher_is_better else "slower"


def compare(
    a: Sequence[float], b: Sequence[float], *, higher_is_better: bool = True, paired: bool = False
) -> Comparison:
    """Compare two samples by their medians; the same input always gives the same answer.

    `higher_is_better` is True for rates and False for times. With `paired` the values at the
    same position belong together (the same prompt) and both sides must be equally long,
    else ValueError: the test then swaps within pairs.
    """
    if paired and len(a) != len(b):
        raise ValueError(f"paired samples differ in length: {len(a)} and {len(b)}")
    return _compare(tuple(a), tuple(b), higher_is_better, paired)


@lru_cache(maxsize=1024)
def _compare(
    a: tuple[float, ...], b: tuple[float, ...], higher_is_better: bool, paired: bool
) -> Comparison:
    n = (len(a), len(b))
    if 0 in n:
        return Comparison(n, higher_is_better)
    first, second = np.array(a, dtype=np.float64), np.array(b, dtype=np.float64)
    return (_compare_pairs if paired else _compare_groups)(first, second, higher_is_better)


def _compare_groups(a: Floats, b: Floats, higher_is_better: bool) -> Comparison:
    mid_a, mid_b = float(np.median(a)), float(np.median(b))
    p_value, smallest = _regrouping_test(a, b)
    difference_ci, ratio_ci = _effect_intervals(a, b)
    return Comparison(
        n=(a.size, b.size),
        higher_is_better=higher_is_better,
        difference=mid_a - mid_b,
        difference_ci=difference_ci,
        ratio=mid_a / mid_b if mid_b else None,
        ratio_ci=ratio_ci,
        p_value=p_value,
        smallest_p=smallest,
    )


def _compare_pairs(a: Floats, b: Floats, higher_is_better: bool) -> Comparison:
    differences = np.sort(a - b)
    ratios = np.sort(a / b) if min(a.min(), b.min()) > 0 else None
    p_value, smallest = _swap_test(differences)
    return Comparison(
        n=(a.size, b.size),
        higher_is_better=higher_is_better,
        difference=median(differences),
        difference_ci=median_interval(differences),
        ratio=None if ratios is None else median(ratios),
        ratio_ci=NO_INTERVAL if ratios is None else median_interval(ratios),
        p_value=p_value,
        smallest_p=smallest,
    )


def _regrouping_test(a: Floats, b: Floats) -> tuple[float, float]:
    """Two-sided p of the difference of medians over regroupings of all values, and the
    smallest p these values could give."""
    pooled = np.concatenate((a, b))
    exact = math.comb(pooled.size, a.size) <= _EXACT_MAX
    groupings = _all_choices(a.size, b.size) if exact else _random_choices(a.size, b.size)
    drawn = np.concatenate([_gaps(pooled, rows) for rows in groupings])
    observed = float(_gaps(pooled, np.arange(pooled.size)[None, :] < a.size)[0])
    return _p_values(drawn, observed, exact)


def _swap_test(differences: Floats) -> tuple[float, float]:
    """The same for pairs: swapping the members of a pair flips the sign of its difference.

    The statistic is the sum of signed ranks: the median of flipped differences of one size
    is that size whatever is flipped, so it could not find the steadiest gain of all.
    """
    n = differences.size
    ranks = _average_ranks(np.abs(differences)) * (differences != 0)
    exact = 2**n <= _EXACT_MAX
    flips = _all_flips(n) if exact else _random_flips(n)
    drawn = np.abs(np.concatenate([rows @ ranks for rows in flips]))
    return _p_values(drawn, abs(float(np.sign(differences) @ ranks)), exact)


def _p_values(drawn: Floats, observed: float, exact: bool) -> tuple[float, float]:
    # Equal regroupings must count as equal whatever the order of additions gave.
    slack = 1e-12 * float(drawn.max())
    hits = int((drawn >= observed - slack).sum())
    if exact:
        return hits / drawn.size, int((drawn >= drawn.max() - slack).sum()) / drawn.size
    return (hits + 1) / (drawn.size + 1), 1 / (drawn.size + 1)


def _gaps(pooled: Floats, in_a: Bools) -> Floats:
    """|median of the chosen - median of the others|, one for each row of `in_a`.

    Counting members along the sorted values finds a middle in one pass; sorting every row
    takes three to ten times as long.
    """
    order = np.argsort(pooled)
    ordered = pooled[order]
    seen = in_a[:, order].cumsum(axis=1, dtype=np.int32)
    others = np.arange(1, pooled.size + 1, dtype=np.int32) - seen
    gaps: Floats = np.abs(_middles(ordered, seen) - _middles(ordered, others))
    return gaps


def _middles(ordered: Floats, seen: NDArray[np.int32]) -> Floats:
    """The median of each row's members; `seen` counts them up to each of the values."""
    n = int(seen[0, -1])
    low = (seen > (n - 1) // 2).argmax(axis=1)
    high = (seen > n // 2).argmax(axis=1)
    middles: Floats = (ordered[low] + ordered[high]) / 2
    return middles


def _average_ranks(values: Floats) -> Floats:
    """Ranks from 1; equal values share the mean of their ranks."""
    ordered = np.sort(values)
    low, high = np.searchsorted(ordered, values), np.searchsorted(ordered, values, "right")
    ranks: Floats = (low + high + 1) / 2
    return ranks


def _all_choices(n_a: int, n_b: int) -> Iterator[Bools]:
    chosen = np.array(list(itertools.combinations(range(n_a + n_b), n_a)))
    rows: Bools = np.zeros((len(chosen), n_a + n_b), dtype=np.bool_)
    np.put_along_axis(rows, chosen, True, axis=1)
    yield rows


def _random_choices(n_a: int, n_b: int) -> Iterator[Bools]:
    rng = np.random.default_rng((SEED, n_a, n_b))
    for rows in _batches(n_a + n_b):
        start = np.broadcast_to(np.arange(n_a + n_b) < n_a, (rows, n_a + n_b))
        yield rng.permuted(start, axis=1)


def _all_flips(n: int) -> Iterator[Floats]:
    yield np.array(list(itertools.product((-1.0, 1.0), repeat=n)))


def _random_flips(n: int) -> Iterator[Floats]:
    rng = np.random.default_rng((SEED, n))
    for rows in _batches(n):
        yield np.where(rng.random((rows, n)) < 0.5, -1.0, 1.0)


def _batches(width: int) -> Iterator[int]:
    left, size = max(999, min(RESAMPLES, _BUDGET // width)), max(1, _BATCH // width)
    while left > 0:
        yield min(size, left)
        left -= size


def _effect_intervals(a: Floats, b: Floats) -> tuple[Interval, Interval]:
    """Bootstrap intervals of the difference and of the ratio of the medians."""
    if min(a.size, b.size) < 2:
        return NO_INTERVAL, NO_INTERVAL
    first, second = np.sort(a), np.sort(b)
    mid_a, mid_b = median(first), median(second)
    drawn_a, drawn_b = resampled_medians(first), resampled_medians(second, stream=1)
    left_a, left_b = jackknife_medians(first), jackknife_medians(second)
    difference = bca(mid_a - mid_b, drawn_a - drawn_b, (left_a - mid_b, mid_a - left_b))
    if min(second[0], first[0]) <= 0:  # a ratio means something between positive values only
        return difference, NO_INTERVAL
    return difference, bca(mid_a / mid_b, drawn_a / drawn_b, (left_a / mid_b, mid_a / left_b))


def adjusted(comparisons: Sequence[Comparison]) -> list[Comparison]:
    """The same comparisons with Holm's p values, each claim counted against the others;
    those without a p value stay as they are."""
    known = [i for i, item in enumerate(comparisons) if item.p_value is not None]
    fixed = holm([p for item in comparisons if (p := item.p_value) is not None])
    out = list(comparisons)
    for i, p_value in zip(known, fixed, strict=True):
        smallest = min(1.0, out[i].smallest_p * len(known))
        out[i] = replace(out[i], p_value=p_value, smallest_p=smallest)
    return out


@lru_cache(maxsize=64)
def runs_to_compare(comparisons: int = 1) -> int:
    """How many values on each side it takes until the test can find a difference at 5 %,
    when that many comparisons are made together."""
    return next(
        n
        for n in itertools.count(2)
        if _regrouping_test(np.arange(n, 2.0 * n), np.arange(float(n)))[1] * comparisons <= ALPHA
    )


def holm(pvalues: Sequence[float]) -> list[float]:
    """Holm's step-down adjustment, in the order given; each at most 1."""
    out, worst = [0.0] * len(pvalues), 0.0
    for rank, i in enumerate(sorted(range(len(pvalues)), key=pvalues.__getitem__)):
        worst = max(worst, min(1.0, (len(pvalues) - rank) * pvalues[i]))
        out[i] = worst
    return out
