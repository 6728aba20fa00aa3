"""Comparisons: no claim without evidence."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.stats import NOT_DISTINGUISHABLE, adjusted, compare, holm, runs_to_compare
from tests.bench.claims import false_claims


def test_a_clear_difference_is_named_with_its_size() -> None:
    fast = [180.0, 182.0, 181.0, 184.0, 183.0, 179.0]
    slow = [87.0, 88.0, 86.0, 87.5, 87.2, 86.4]
    result = compare(fast, slow)
    assert result.verdict == "faster"
    assert result.ratio == pytest.approx(181.5 / 87.1)
    low, high = result.ratio_ci
    assert low is not None
    assert high is not None
    assert result.ratio is not None
    assert low < result.ratio < high
    assert compare(slow, fast).verdict == "slower"


def test_for_times_less_is_faster() -> None:
    early, late = [1.0, 1.1, 1.2, 1.3, 1.4, 1.5], [9.0, 9.1, 9.2, 9.3, 9.4, 9.5]
    assert compare(early, late, higher_is_better=False).verdict == "faster"
    assert compare(late, early, higher_is_better=False).verdict == "slower"


def test_the_p_value_is_the_share_of_all_regroupings() -> None:
    a, b = [1.0, 5.0, 6.0], [2.0, 3.0, 4.0, 9.0]
    pooled = a + b
    observed = abs(np.median(a) - np.median(b))
    hits = total = 0
    for chosen in itertools.combinations(range(7), 3):
        rest = [pooled[i] for i in range(7) if i not in chosen]
        gap = abs(np.median([pooled[i] for i in chosen]) - np.median(rest))
        hits, total = hits + (gap >= observed - 1e-9), total + 1
    assert compare(a, b).p_value == pytest.approx(hits / total)


def test_too_few_runs_claim_nothing_and_say_so() -> None:
    def separated(n: int) -> tuple[list[float], list[float]]:
        return [100.0 + i for i in range(n)], [float(i) for i in range(n)]

    assert runs_to_compare() == 5
    few = compare(*separated(4))
    assert few.verdict == NOT_DISTINGUISHABLE
    assert not few.conclusive
    enough = compare(*separated(5))
    assert enough.verdict == "faster"
    assert enough.conclusive


@pytest.mark.parametrize("together", [2, 3, 5])
def test_comparisons_made_together_need_more_runs_each(together: int) -> None:
    def conclusive(n: int) -> bool:
        one = compare([100.0 + i for i in range(n)], [float(i) for i in range(n)])
        return adjusted([one] * together)[0].verdict == "faster"

    enough = runs_to_compare(together)
    assert enough > runs_to_compare()
    assert conclusive(enough)
    assert not conclusive(enough - 1)


def test_equal_and_empty_samples_are_not_distinguishable() -> None:
    same = compare([5.0] * 8, [5.0] * 8)
    assert (same.verdict, same.p_value, same.difference) == (NOT_DISTINGUISHABLE, 1.0, 0.0)
    nothing = compare([], [1.0, 2.0])
    assert nothing.verdict == NOT_DISTINGUISHABLE
    assert nothing.difference is None
    assert nothing.difference_ci == (None, None)


def test_a_ratio_needs_positive_values() -> None:
    result = compare([1.0, 2.0, 3.0], [0.0, 0.0, 1.0])
    assert result.ratio is None
    assert result.ratio_ci == (None, None)


def test_pairs_find_a_small_steady_gain_that_the_spread_of_prompts_hides() -> None:
    prompts = np.random.default_rng(4).uniform(50, 500, 15)
    a, b = (prompts + 8).tolist(), prompts.tolist()
    assert compare(a, b).verdict == NOT_DISTINGUISHABLE
    assert compare(a, b, paired=True).verdict == "faster"


def test_pairs_must_be_pairs() -> None:
    with pytest.raises(ValueError, match="differ in length"):
        compare([1.0, 2.0], [1.0], paired=True)


@pytest.mark.parametrize(("paired", "n"), [(False, 5), (False, 8), (True, 6), (True, 8)])
def test_on_equal_models_false_claims_stay_at_five_percent(paired: bool, n: int) -> None:
    """The heavy version, a thousand comparisons of each kind, is `make bench`."""
    # 5 %, with room for the luck of 250 rounds.
    assert false_claims(n, paired=paired, rounds=250) <= 0.05 + 0.02


def test_a_real_difference_is_usually_found() -> None:
    rng = np.random.default_rng(7)
    found = sum(
        compare(rng.normal(120, 8, 10).tolist(), rng.normal(100, 8, 10).tolist()).verdict
        == "faster"
        for _ in range(60)
    )
    assert found >= 50


def test_large_samples_are_compared_in_bounded_time() -> None:
    rng = np.random.default_rng(1)
    result = compare(rng.normal(100, 5, 3_000).tolist(), rng.normal(101, 5, 3_000).tolist())
    assert result.verdict == "slower"


small = st.lists(st.floats(min_value=0.1, max_value=1e6), min_size=1, max_size=6)


@settings(max_examples=60)
@given(small, small)
def test_swapping_the_sides_swaps_the_verdict(a: list[float], b: list[float]) -> None:
    there, back = compare(a, b), compare(b, a)
    assert there.p_value == pytest.approx(back.p_value)
    assert there.difference is not None
    assert there.difference == -(back.difference or 0)
    assert 0 < (there.p_value or 0) <= 1
    opposite = {"faster": "slower", "slower": "faster"}
    assert back.verdict in (opposite.get(there.verdict, NOT_DISTINGUISHABLE), NOT_DISTINGUISHABLE)


def test_holm_gives_the_textbook_values_in_the_given_order() -> None:
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([]) == []
    assert holm([0.9, 0.8]) == [1.0, 1.0]


@given(st.lists(st.floats(min_value=0, max_value=1), max_size=12))
def test_holm_lies_between_nothing_and_bonferroni(p: list[float]) -> None:
    for raw, fixed in zip(p, holm(p), strict=True):
        assert raw <= fixed <= min(1.0, raw * len(p)) + 1e-12


def test_several_comparisons_raise_the_bar() -> None:
    fast, slow = [10.0, 11.0, 12.0, 13.0, 14.0], [1.0, 2.0, 3.0, 4.0, 5.0]
    alone = compare(fast, slow)
    assert alone.verdict == "faster"
    together = adjusted([alone, compare(fast, fast), compare([], fast)])
    assert [c.verdict for c in together] == [NOT_DISTINGUISHABLE] * 3
    assert not together[0].conclusive
    assert together[2].p_value is None


def test_the_test_of_pairs_is_the_signed_rank_test() -> None:
    from scipy import stats

    a, b = [12.0, 9.0, 15.0, 11.0, 20.0, 8.0, 14.0], [10.0, 9.5, 11.0, 8.0, 12.0, 9.0, 13.5]
    theirs = stats.wilcoxon(a, b, method=stats.PermutationMethod(n_resamples=100_000))
    assert compare(a, b, paired=True).p_value == pytest.approx(theirs.pvalue, abs=1e-9)
