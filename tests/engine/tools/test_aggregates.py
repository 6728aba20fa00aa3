"""Figures of many trials: denominators, intervals, repeats, pairs."""

from __future__ import annotations

from itertools import combinations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.samples import Tokens
from engine.stats import wilson
from engine.tools.aggregates import (
    CaseCount,
    Result,
    by_category,
    by_model,
    case_passes,
    counts_by_case,
    flaky_cases,
    grouped_wilson,
    pass_at_k,
    pass_hat_k,
    repeats,
    result_of,
    tally,
)
from engine.tools.answers import Scored
from engine.tools.pairs import compare_models
from engine.tools.trials import Trial, TrialKey


def trials(model: str, case: str, outcome: str, *, category: str = "x") -> list[Result]:
    """ "+" passed, "-" failed, "!" infrastructure; one letter a trial."""
    passed = {"+": True, "-": False, "!": None}
    return [
        Result(
            model, case, category, passed[c], "wrong_value" if c == "-" else None, float(c == "+")
        )
        for c in outcome
    ]


def test_infrastructure_is_in_no_denominator() -> None:
    found = tally([*trials("m", "a", "+"), *trials("m", "b", "-"), *trials("m", "c", "!!")])
    assert (found.n, found.passed, found.unscored, found.cases) == (2, 1, 2, 2)
    assert (found.rate, found.score, found.ci) == (0.5, 0.5, wilson(1, 2))
    assert found.errors == {"wrong_value": 1}
    assert found.share_of("wrong_value") == (0.5, wilson(1, 2))
    assert found.share_of("no_call") == (0.0, wilson(0, 2))


def test_nothing_scored_has_no_rate() -> None:
    found = tally(trials("m", "a", "!"))
    assert (found.n, found.rate, found.ci, found.score) == (0, None, (None, None), None)
    assert found.share_of("no_call") == (None, (None, None))


def test_models_and_categories_have_figures_of_their_own() -> None:
    results = [
        *trials("m", "a", "+", category="x"),
        *trials("m", "b", "-", category="y"),
        *trials("k", "a", "+!", category="x"),
    ]
    assert {name: (t.n, t.passed) for name, t in by_model(results).items()} == {
        "m": (2, 1),
        "k": (1, 1),
    }
    assert {key: (t.n, t.passed) for key, t in by_category(results).items()} == {
        ("m", "x"): (1, 1),
        ("m", "y"): (1, 0),
        ("k", "x"): (1, 1),
    }


def test_weights_count_in_the_score_and_not_in_the_rate() -> None:
    heavy = Result("m", "a", "", True, None, 1.0, 3.0)
    light = Result("m", "b", "", False, "no_call", 0.2, 1.0)
    found = tally([heavy, light])
    assert found.rate == 0.5
    assert found.score == pytest.approx(0.8)


def test_a_trial_becomes_a_result() -> None:
    scored = Scored(False, "no_call", {"overall": 0.25})
    trial = Trial(TrialKey("p", "m/1", "a", 2), "scored", "x", scored=scored, tokens=Tokens())
    assert result_of(trial, 2.0) == Result("p/m/1", "a", "x", False, "no_call", 0.25, 2.0)
    failed = Trial(TrialKey("p", "m/1", "a", 2), "infrastructure", "x", error="timeout")
    assert result_of(failed).passed is None


def test_repeats_of_one_case_say_less_than_as_many_cases() -> None:
    steady = [CaseCount(10, 10)] * 6 + [CaseCount(0, 10)] * 4
    loose = [CaseCount(6, 10)] * 10
    assert grouped_wilson(steady) == pytest.approx(wilson(6, 10))
    assert grouped_wilson(loose) == pytest.approx(wilson(60, 100))
    assert grouped_wilson([CaseCount(5, 10)]) == pytest.approx(wilson(0.5, 1))
    assert grouped_wilson([CaseCount(3, 3)] * 5) == pytest.approx(wilson(5, 5))


@pytest.mark.parametrize("rate", [0.3, 0.7])
def test_the_interval_of_grouped_trials_covers_the_truth(rate: float) -> None:
    """Cases differ in how hard they are; 95 % of the intervals must hold the common rate."""
    import random

    rng = random.Random(5)
    covered = 0
    for _ in range(400):
        groups = []
        for _ in range(40):
            p = rng.betavariate(rate, 1 - rate)  # hard and easy cases
            groups.append(CaseCount(sum(rng.random() < p for _ in range(5)), 5))
        low, high = grouped_wilson(groups)
        assert low is not None
        assert high is not None
        covered += low <= rate <= high
    assert covered >= 365


def test_flaky_cases_are_those_whose_trials_disagree() -> None:
    results = [*trials("m", "a", "+++-"), *trials("m", "b", "+-"), *trials("m", "c", "++!")]
    assert list(flaky_cases(results)) == [("m", "b"), ("m", "a")]
    assert counts_by_case(results)["m", "c"] == CaseCount(2, 2)


def test_a_threshold_is_a_share_of_trials() -> None:
    assert case_passes(CaseCount(8, 10), 0.8)
    assert not case_passes(CaseCount(7, 10), 0.8)
    assert case_passes(CaseCount(2, 3), 2 / 3)
    assert not case_passes(CaseCount(0, 0), 0.5)


@settings(deadline=None)
@given(st.lists(st.booleans(), min_size=1, max_size=7), st.integers(1, 8))
def test_pass_at_k_is_the_share_of_all_choices_of_k_trials(passed: list[bool], k: int) -> None:
    count = CaseCount(sum(passed), len(passed))
    chosen = list(combinations(passed, k))
    if not chosen:
        assert pass_at_k(count, k) is pass_hat_k(count, k) is None
        return
    assert pass_at_k(count, k) == pytest.approx(sum(map(any, chosen)) / len(chosen))
    assert pass_hat_k(count, k) == pytest.approx(sum(map(all, chosen)) / len(chosen))


def test_repeats_are_means_over_cases() -> None:
    [one, two] = repeats(
        [*trials("m", "a", "++"), *trials("m", "b", "+-"), *trials("m", "c", "-")]
    )["m"]
    assert (one.k, one.cases, one.at_least_one, one.all_of_them) == (1, 3, 0.5, 0.5)
    assert (two.k, two.cases, two.at_least_one, two.all_of_them) == (2, 2, 1.0, 0.5)


def paired(outcomes: str) -> list[Result]:
    """Pairs such as "+-": a's outcome, then b's."""
    return [
        result
        for index, pair in enumerate(outcomes.split())
        for model, letter in zip("ab", pair, strict=True)
        for result in trials(model, str(index), letter)
    ]


def test_two_models_are_compared_on_the_cases_both_have() -> None:
    found = compare_models(paired("++ +- +- -- !- -+ +!"), "a", "b")
    assert (len(found.cases), found.left_out) == (5, 2)
    assert found.difference == pytest.approx(0.2)
    assert ([p.case for p in found.only_a], [p.case for p in found.only_b]) == (["1", "2"], ["5"])
    assert found.better == "not distinguishable"


def test_the_test_of_one_trial_a_case_is_mcnemars() -> None:
    """Ten cases for a, one for b: 2 (C(11,0) + C(11,1)) / 2^11; the others play no part."""
    found = compare_models(paired("+- " * 10 + "-+ " + "++ " * 30), "a", "b")
    assert found.p_value == pytest.approx(2 * 12 / 2**11)
    assert found.better == "a"
    low, high = found.ci
    assert low is not None
    assert high is not None
    assert 0 < low < found.difference < high  # type: ignore[operator]
    assert compare_models(paired("-+ " * 10 + "+- " + "++ " * 30), "a", "b").better == "b"


def test_equal_models_and_strangers_are_not_told_apart() -> None:
    same = compare_models(paired("++ -- ++"), "a", "b")
    assert (same.difference, same.p_value, same.better) == (0, 1, "not distinguishable")
    nobody = compare_models(paired("++"), "a", "z")
    assert (nobody.difference, nobody.p_value, nobody.cases) == (None, None, ())
