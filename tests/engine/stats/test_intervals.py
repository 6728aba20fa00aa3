"""Intervals: held against scipy's, and against how often they cover the truth."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import stats

from engine.stats import describe, wilson
from tests.bench.claims import coverage


def bounds(data: NDArray[np.float64]) -> tuple[float, float]:
    low, high = describe(data.tolist()).ci95
    assert low is not None
    assert high is not None
    return low, high


@pytest.mark.parametrize("n", [3, 4, 5, 10, 11, 40, 151])
@pytest.mark.parametrize("shape", ["lognormal", "gamma"])
def test_the_interval_of_the_median_is_the_bca_interval_of_scipy(n: int, shape: str) -> None:
    rng = np.random.default_rng(n)
    data = rng.lognormal(4, 0.4, n) if shape == "lognormal" else rng.gamma(2, 30, n)
    theirs = stats.bootstrap((data,), np.median, n_resamples=20_000, method="BCa", rng=rng)
    low, high = bounds(data)
    width = max(float(data.std()) / math.sqrt(n), 1e-9)
    assert low == pytest.approx(theirs.confidence_interval.low, abs=0.35 * width)
    assert high == pytest.approx(theirs.confidence_interval.high, abs=0.35 * width)


def test_the_direct_draw_of_medians_has_the_distribution_of_real_resamples() -> None:
    from engine.stats.intervals import resampled_medians

    for n in (2, 5, 8):
        data = np.arange(n, dtype=np.float64)
        real = np.median(np.random.default_rng(1).integers(0, n, (40_000, n)), axis=1)
        mine = resampled_medians(data)
        for value in np.unique(real):
            assert np.mean(mine <= value) == pytest.approx(np.mean(real <= value), abs=0.015)


def test_left_out_medians_are_those_of_the_remaining_values() -> None:
    from engine.stats.intervals import jackknife_medians

    for n in (2, 3, 6, 9):
        data = np.sort(np.random.default_rng(n).random(n))
        expected = [np.median(np.delete(data, i)) for i in range(n)]
        assert jackknife_medians(data) == pytest.approx(expected)


def test_ties_leave_an_interval_inside_the_values() -> None:
    low, high = bounds(np.array([5.0] * 9 + [6.0]))
    assert 5.0 <= low <= high <= 6.0


@pytest.mark.parametrize(("n", "at_least"), [(10, 0.91), (30, 0.93), (100, 0.93)])
@pytest.mark.parametrize("shape", ["lognormal", "exponential"])
def test_the_interval_covers_the_true_median_about_as_often_as_it_says(
    n: int, at_least: float, shape: str
) -> None:
    """The heavy version, with more draws, is `make bench` (tests/bench/claims.py)."""
    assert at_least - 0.01 <= coverage(shape, n, rounds=600) <= 0.97 + 0.01


def test_wilson_gives_known_values() -> None:
    low, high = wilson(1, 10)
    assert low == pytest.approx(0.017876, abs=1e-6)
    assert high == pytest.approx(0.404150, abs=1e-6)
    assert wilson(0, 0) == (None, None)
    assert wilson(0, 20)[0] == 0.0
    assert wilson(20, 20)[1] == 1.0


@given(st.integers(min_value=0, max_value=500), st.integers(min_value=1, max_value=500))
def test_wilson_contains_the_rate_and_equals_scipy(k: int, n: int) -> None:
    k = min(k, n)
    low, high = wilson(k, n)
    assert low is not None
    assert high is not None
    assert 0 <= low <= k / n <= high <= 1
    theirs = stats.binomtest(k, n).proportion_ci(method="wilson")
    assert low == pytest.approx(theirs.low, abs=1e-9)
    assert high == pytest.approx(theirs.high, abs=1e-9)


@pytest.mark.parametrize(("k", "n"), [(-1, 5), (6, 5)])
def test_wilson_refuses_an_impossible_count(k: int, n: int) -> None:
    with pytest.raises(ValueError, match="0 to n"):
        wilson(k, n)
