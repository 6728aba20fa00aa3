"""Summaries: known values, and what must hold for any values."""

from __future__ import annotations

import json
import math
import statistics
import subprocess
import sys
import time
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.stats import Summary, confidence_label, describe, tail, tukey_outliers

finite = st.floats(min_value=-1e12, max_value=1e12, allow_nan=False)
values = st.lists(finite, min_size=1, max_size=60)


def test_known_values_are_linear_between_order_statistics() -> None:
    summary = describe([4.0, 1.0, 3.0, 2.0])
    assert (summary.min, summary.p25, summary.p50, summary.p75, summary.max) == (
        1.0,
        1.75,
        2.5,
        3.25,
        4.0,
    )
    assert summary.p90 == pytest.approx(3.7, abs=1e-12)
    assert summary.p99 == pytest.approx(3.97, abs=1e-12)
    assert summary.mean == 2.5
    assert summary.std == pytest.approx(statistics.stdev([1, 2, 3, 4]))
    assert summary.n == 4


def test_nothing_measured_is_nothing_known() -> None:
    assert describe([]) == describe([None, None]) == Summary()
    assert Summary().ci95 == (None, None)


def test_one_value_has_percentiles_but_no_spread() -> None:
    summary = describe([7.5])
    assert summary.p25 == summary.p50 == summary.p99 == summary.mean == 7.5
    assert summary.std is None
    assert summary.ci95 == (None, None)


def test_equal_values_give_the_value_twice() -> None:
    summary = describe([0.1] * 7)
    assert summary.ci95 == (0.1, 0.1)
    assert summary.mean == 0.1
    assert summary.std == 0.0


def test_values_not_measured_are_left_out() -> None:
    assert describe([1.0, None, 3.0]) == describe([3.0, 1.0])


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_a_value_that_is_not_finite_is_refused(bad: float) -> None:
    with pytest.raises(ValueError, match="finite"):
        describe([1.0, bad])


def test_the_same_values_give_the_same_interval_in_any_order() -> None:
    data = [3.2, 1.5, 9.9, 4.4, 2.2, 8.1]
    assert describe(data) == describe(sorted(data)) == describe(data[::-1])


def test_json_carries_a_list_of_two_and_no_nan() -> None:
    row = describe([1.0, 2.0, 4.0]).as_dict()
    assert isinstance(row["ci95"], list)
    assert len(row["ci95"]) == 2
    assert json.loads(json.dumps(row, allow_nan=False)) == row
    contract = {"mean", "std", "min", "p50", "p90", "p95", "p99", "max", "ci95", "n"}
    assert contract <= row.keys()


@given(values)
def test_everything_lies_in_the_observed_range_and_in_order(data: list[float]) -> None:
    s = describe(data)
    row: list[Any] = [s.min, s.p25, s.p50, s.p75, s.p90, s.p95, s.p99, s.max]
    assert row == sorted(row)
    assert (s.min, s.max) == (min(data), max(data))
    assert s.min is not None
    assert s.mean is not None
    assert s.max is not None
    assert s.min <= s.mean <= s.max
    if len(data) > 1:
        low, high = s.ci95
        assert low is not None
        assert high is not None
        assert s.p50 is not None
        assert s.min <= low <= s.p50 <= high <= s.max


@given(values)
def test_percentiles_equal_those_of_the_standard_library(data: list[float]) -> None:
    if len(data) < 2:
        data = data * 2
    cuts = statistics.quantiles(data, n=100, method="inclusive")
    s = describe(data)
    scale = max(abs(v) for v in data) or 1.0
    for mine, theirs in zip(
        (s.p25, s.p50, s.p75, s.p90, s.p95, s.p99),
        (cuts[24], cuts[49], cuts[74], cuts[89], cuts[94], cuts[98]),
        strict=True,
    ):
        assert mine == pytest.approx(theirs, rel=1e-9, abs=1e-9 * scale)


@given(values, st.integers(min_value=-3, max_value=6))
def test_a_change_of_unit_changes_nothing_else(data: list[float], power: int) -> None:
    factor = 2.0**power  # exact in binary, so equality is exact
    one, other = describe(data), describe([v * factor for v in data])
    assert other.p50 == pytest.approx((one.p50 or 0) * factor, rel=1e-12, abs=1e-300)
    assert other.n == one.n
    assert confidence_label(other) == confidence_label(one)


def test_a_hundred_thousand_values_cost_little_more_than_sorting_them() -> None:
    data = np.random.default_rng(5).exponential(10, 100_000).tolist()
    started = time.process_time()
    summary = describe(data)
    assert time.process_time() - started < 2
    low, high = summary.ci95
    assert low is not None
    assert high is not None
    # The median of an exponential with mean 10; its standard error is 10 / sqrt(n).
    assert low < 10 * math.log(2) < high
    assert high - low == pytest.approx(2 * 1.96 * 10 / math.sqrt(100_000), rel=0.2)


def test_a_tail_is_shown_from_enough_values_on() -> None:
    few, some, many = (describe([float(i) for i in range(n)]) for n in (19, 20, 100))
    assert tail(few, "p95") == ("max", 18.0)
    assert tail(some, "p95") == ("p95", some.p95)
    assert tail(some, "p99") == ("max", 19.0)
    assert tail(many, "p99") == ("p99", many.p99)
    assert tail(Summary(), "p95") == ("max", None)


def test_tukey_fences_find_the_far_ones_and_drop_nothing() -> None:
    data = [10.0, 11.0, 12.0, 13.0, 100.0, -80.0]
    assert tukey_outliers(data) == [4, 5]
    assert data[4] == 100.0


def test_fewer_than_four_values_have_no_outliers() -> None:
    assert tukey_outliers([1.0, 1.0, 1000.0]) == []
    assert tukey_outliers([1.0, 1.0, 1.0, 1000.0]) == [3]


@given(st.lists(finite, min_size=4, max_size=40))
def test_what_lies_between_the_quartiles_is_never_an_outlier(data: list[float]) -> None:
    s = describe(data)
    assert s.p25 is not None
    assert s.p75 is not None
    for i in tukey_outliers(data):
        assert not s.p25 <= data[i] <= s.p75


@pytest.mark.parametrize(
    ("half_width", "n", "label"),
    [
        (4.9, 10, "high"),
        (4.9, 9, "medium"),
        (5.0, 10, "medium"),
        (14.9, 50, "medium"),
        (15.0, 50, "low"),
        (0.0, 3, "medium"),
        (0.0, 10, "high"),
    ],
)
def test_confidence_follows_the_half_width_and_n(half_width: float, n: int, label: str) -> None:
    summary = Summary(p50=100.0, ci95=(100 - half_width, 100 + half_width), n=n)
    assert confidence_label(summary) == label


def test_confidence_is_low_without_an_interval_or_around_zero() -> None:
    assert confidence_label(describe([3.0])) == "low"
    assert confidence_label(Summary(p50=0.0, ci95=(-1.0, 1.0), n=100)) == "low"


def test_no_statistic_imports_scipy_stats() -> None:
    code = (
        "import sys; from engine.samples import Arrival; from engine import stats;"
        "stats.describe([1.0, 2.0, 3.0]); stats.compare([1.0] * 5, [2.0] * 5);"
        "stats.pooled_itl([[Arrival(i * 10**6 * (1 + s), 1) for i in range(9)] for s in (0, 1)]);"
        "assert 'scipy.stats' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
