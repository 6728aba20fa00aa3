from __future__ import annotations

from typing import Any

from engine.samples import Tokens
from tests.engine.report.builders import at_speed, report
from tests.webapp.conftest import Person
from tests.webapp.history.conftest import add_run, ladder
from webapp.history.comparison import Line, compare_runs
from webapp.history.fairness import cautions
from webapp.models import Run


def lines(a_tokens: int = 100, b_tokens: int = 100) -> tuple[Line, ...]:
    runs = [
        report(at_speed("fast", ladder(100), tokens=Tokens(8, tokens, source="usage")))
        for tokens in (a_tokens, b_tokens)
    ]
    return compare_runs(*runs).lines


def pair(alice: Person, **changed: Any) -> tuple[Run, Run]:
    return add_run(alice.user, {"fast": [9.0]}), add_run(alice.user, {"fast": [9.0]}, **changed)


def test_two_runs_of_the_same_need_no_caution(alice: Person) -> None:
    assert cautions(*pair(alice), lines()) == []


def test_what_was_asked_differently_is_named_with_both_values(alice: Person) -> None:
    runs = pair(alice, max_tokens=1_024, temperature=None, prompt="Another prompt.")
    (said,) = cautions(*runs, lines())
    assert said == (
        "A and B were asked differently, which can change speeds: the prompt, the most tokens out "
        "(512 in A, 1,024 in B) and the temperature (0.7 in A, the default in B)."
    )


def test_another_workload_is_named(alice: Person) -> None:
    more = {"cache": "warm", "fixed_output": True, "recall": True, "context_tiers": (0, 1000)}
    (said,) = cautions(*pair(alice, prompts=({"prompt": "Why?"},), **more), lines())
    assert said == (
        "A and B were asked differently, which can change speeds: the prompt, the prefix cache "
        "(cold in A, warm in B), the length of answers (free in A, fixed in B) and a hidden fact "
        "(only B asked for one)."
    )


def test_how_often_was_asked_makes_no_difference(alice: Person) -> None:
    assert cautions(*pair(alice, runs=30, warmup=0, seed=9), lines()) == []


def test_another_system_prompt_is_named(alice: Person) -> None:
    a, b = pair(alice)
    b.targets = [{**b.targets[0], "system_prompt": "Be brief."}]
    assert cautions(a, b, lines()) == [
        "A and B were asked differently, which can change speeds: the system prompt of a model."
    ]


def test_a_run_under_way_is_not_final(alice: Person) -> None:
    assert cautions(*pair(alice, state="running"), lines()) == [
        "B is not finished yet; its figures will change."
    ]


def test_another_machine_is_said_where_both_are_known(alice: Person) -> None:
    a, b = pair(alice)
    a.environment = {"cpu": "One", "cpus": 2}
    assert cautions(a, b, lines()) == []
    b.environment = {"cpu": "One", "cpus": 4}
    assert cautions(a, b, lines()) == ["A and B were measured from different machines."]


def test_answers_of_different_length_are_not_the_same_work(alice: Person) -> None:
    runs = pair(alice)
    assert cautions(*runs, lines(100, 119)) == []
    assert cautions(*runs, lines(100, 160)) == [
        "Answers of fast differ in length: 100 tokens on average in A, 160 in B."
    ]
