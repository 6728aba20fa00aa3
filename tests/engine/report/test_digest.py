"""A digest says of a result what its samples said, also after it was stored as JSON."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.report.digest import POINTS_MAX, curve, digest, dump, load
from engine.specs import LoadSpec
from tests.engine.report.builders import at_speed, failed, report, sample, target


def test_a_stored_digest_is_the_same_again() -> None:
    taken = [*at_speed("fast", [100 + i for i in range(12)]), failed("fast", 12)]
    opened = [replace(taken[0], connect_ms=1.5, tls_ms=4.0), *taken[1:]]
    (result,) = report(opened)
    found = digest(result)
    assert load(json.loads(json.dumps(dump(found), allow_nan=False))) == found
    assert found.opening["connect_ms"].p50 == 1.5
    assert found.result.samples == ()
    assert found.result.ttft_ms == result.ttft_ms


def test_empty_results_and_load_levels_survive_too() -> None:
    load_spec = LoadSpec(levels=(1, 4), slo_ttft_ms=150)
    taken = [replace(item, key=item.key._replace(level="c4")) for item in at_speed("fast", [9] * 5)]
    for result in report(taken, [target()], load=load_spec):
        found = digest(result)
        assert load(json.loads(json.dumps(dump(found)))) == found


def test_few_first_tokens_are_kept_one_by_one_and_outliers_by_their_run() -> None:
    firsts = [100.0, 101, 102, 103, 104, 900]
    (result,) = report([sample(run=run, ttft_ms=first) for run, first in enumerate(firsts)])
    found = digest(result)
    assert found.firsts == list(enumerate(firsts))
    assert found.outliers["ttft_ms"] == [5]
    assert found.curves["ttft_ms"] == firsts


@given(st.lists(st.floats(0, 1e6), min_size=POINTS_MAX + 1, max_size=3 * POINTS_MAX))
def test_a_long_distribution_is_thinned_between_its_ends(values: list[float]) -> None:
    thin = curve(values)
    assert len(thin) == POINTS_MAX
    assert thin == sorted(thin)
    assert (thin[0], thin[-1]) == pytest.approx((min(values), max(values)))
