from __future__ import annotations

from collections import Counter

import pytest

from engine.tools.plan import CannotRun, cases_of, check_scorable, plan_trials
from tests.engine.tools.builders import calls, case, spec, suite, target

SUITE = suite(*(case(f"case {n}") for n in range(20)), case("often", trials=5))
ONE, TWO, OTHER = target("one"), target("two"), target("three", provider="other")


def test_every_case_is_tried_as_often_as_asked_and_no_trial_twice() -> None:
    lanes = plan_trials(spec(ONE, TWO, OTHER, trials=2), SUITE, [ONE, TWO, OTHER])

    assert {name: len(keys) for name, keys in lanes.items()} == {"lab": 90, "other": 45}
    keys = [key for lane in lanes.values() for key in lane]
    assert len(set(keys)) == len(keys)
    assert Counter(key.trial for key in lanes["other"]) == {0: 21, 1: 21, 2: 1, 3: 1, 4: 1}


def test_the_seed_decides_the_order() -> None:
    def order(seed: int) -> list[str]:
        return [k.case for k in plan_trials(spec(ONE, seed=seed), SUITE, [ONE])["lab"]]

    assert order(1) == order(1)
    assert order(1) != order(2)
    assert sorted(order(1)) == sorted(order(2))


def test_models_take_turns_and_trials_of_a_case_lie_apart() -> None:
    lane = plan_trials(spec(ONE, TWO, trials=2), SUITE, [ONE, TWO])["lab"]

    firsts = Counter(lane[at].model for at in range(0, 40, 2))
    assert set(firsts.values()) == {10}
    places = [at for at, key in enumerate(lane) if key.case == "case 3" and key.model == "one"]
    assert places[0] < 42 <= places[1]


def test_some_cases_are_chosen_by_name() -> None:
    chosen = spec(ONE, cases=("case 3", "case 1"))
    assert [each.id for each in cases_of(chosen, SUITE)] == ["case 1", "case 3"]
    with pytest.raises(CannotRun, match="case 99"):
        plan_trials(spec(ONE, cases=("case 99",)), SUITE, [ONE])


def test_a_case_that_could_not_be_scored_is_refused_before_it_is_asked() -> None:
    due = calls(("get_weather", {"city": "Oslo"}))
    vague = suite(case("vague", due, match={"kind": "semantic"}), case())
    with pytest.raises(CannotRun, match=r"'vague'.*embedding"):
        check_scorable(spec(ONE), vague, similarity=False)
    check_scorable(spec(ONE), vague, similarity=True)
    check_scorable(spec(ONE, cases=("a",)), vague, similarity=False)

    java = suite(case("java_1", due, category="java"))
    with pytest.raises(CannotRun, match="'java_1'"):
        check_scorable(spec(ONE, mode="bfcl"), java, similarity=False)
    check_scorable(spec(ONE), java, similarity=False)


def test_a_suite_without_cases_has_nothing_to_try() -> None:
    assert plan_trials(spec(ONE), suite(), [ONE]) == {"lab": []}
