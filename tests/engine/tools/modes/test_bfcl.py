"""The leaderboard's rules: each in a table, then thousands of calls against a second opinion."""

from __future__ import annotations

import json
from typing import Any

import pytest

from engine.tools.answers import Answer, Call, Mode, Scored
from engine.tools.modes.bfcl import SENTENCES, Unscorable
from engine.tools.scoring import score
from tests.engine.tools import bfcl_random, bfcl_reference
from tests.engine.tools.bfcl_random import Question
from tests.engine.tools.builders import answered, called, calls, due, suite_of

QUICK = 3_000
ARRAY_OF_DICTS = {"type": "array", "items": {"type": "dict"}}
FLOATS, STRINGS = (
    {"type": "array", "items": {"type": "float"}},
    {"type": "array", "items": {"type": "string"}},
)


def judged(
    schema: dict[str, Any],
    allowed: list[Any],
    *given: Any,
    required: bool = True,
    mode: Mode = "bfcl",
) -> Scored:
    """One function with one parameter; no value leaves it out."""
    parameters = {"type": "dict", "properties": {"p": schema}, "required": ["p"] * required}
    called = {"p": given[0]} if given else {}
    question = Question(
        "simple",
        [{"name": "f", "parameters": parameters}],
        [{"f": {"p": allowed}}],
        [{"f": called}],
    )
    case, suite = question.case()
    return score(case, suite, question.answer(), mode=mode)


# schema, allowed values, value, class (None passes)
VALUES: list[tuple[dict[str, Any], list[Any], Any, str | None]] = [
    ({"type": "string"}, ["New York, NY"], "new-york ny.", None),
    ({"type": "string"}, ["it's"], 'IT"S', None),
    ({"type": "string"}, ["1.5"], "15", None),  # a flaw that is kept
    ({"type": "string"}, ["a+b"], "ab", "wrong_value"),
    ({"type": "string"}, ["a", ""], "", None),
    ({"type": "string"}, ["a", ""], " - ", None),
    ({"type": "string"}, ["a"], 5, "wrong_type"),
    ({"type": "string"}, [], "a", "wrong_value"),
    ({"type": "integer"}, [5], 5, None),
    ({"type": "integer"}, [5], 5.0, "wrong_type"),
    ({"type": "integer"}, [1], True, "wrong_type"),
    ({"type": "integer"}, [5, ""], "", "wrong_type"),
    ({"type": "float"}, [5.0], 5, None),
    ({"type": "float"}, [5], 5, None),
    ({"type": "float"}, [1.0], True, "wrong_type"),
    ({"type": "float"}, [1.0], 10**400, "wrong_value"),
    ({"type": "boolean"}, [True], True, None),
    ({"type": "boolean"}, [True], 1, "wrong_type"),
    ({"type": "boolean"}, [True], "true", "wrong_type"),
    ({"type": "any"}, [5], 5, None),
    ({"type": "any"}, ["x y"], "XY", None),
    ({"type": "any"}, ["x y"], 5, "wrong_type"),
    ({"type": "integer"}, ["count"], "count", None),  # a variable: plain membership
    ({"type": "integer"}, ["count"], "Count", "wrong_value"),
    ({"type": "integer"}, ["count", 5], 5, None),
    ({"type": "string"}, ["", None], None, None),
    ({"type": "string"}, ["", None], "x", "wrong_value"),
    (FLOATS, [[1.0, 2.0]], [1.0, 2.0], None),
    (FLOATS, [[1.0, 2.0]], [1, 2], "wrong_item_type"),
    (FLOATS, [[1, 2]], [1, 2], None),
    (FLOATS, [[1.0, 2.0], ""], [1, 2], None),  # "" lets every item type pass; 1 equals 1.0
    (FLOATS, [[1.0, 2.0]], [2.0, 1.0], "wrong_value"),
    (FLOATS, [[1.0, 2.0]], "1, 2", "wrong_type"),
    (FLOATS, [[1.0], ""], [], None),  # a flaw that is kept
    (FLOATS, [[1.0]], [], "wrong_value"),
    (STRINGS, [["New York", "b"]], ["new york", "B."], None),
    (STRINGS, [["a"], ["b"]], ["b"], None),
    ({"type": "tuple", "items": {"type": "integer"}}, [[1, 2]], [1, 2], None),
    ({"type": "tuple", "items": {"type": "integer"}}, [[1, 2]], (1, 2), None),
    ({"type": "array", "items": STRINGS}, [[["A b"]]], [["A b"]], None),
    ({"type": "array", "items": STRINGS}, [[["A b"]]], [["ab"]], "wrong_value"),
    ({"type": "dict"}, [{"a": ["X Y"], "b": [1, ""]}], {"a": "xy"}, None),
    ({"type": "dict"}, [{"a": ["X Y"], "b": [1, ""]}], {"b": 1}, "missing_key"),
    ({"type": "dict"}, [{"a": ["X Y"]}], {"a": "xy", "c": 1}, "wrong_key"),
    ({"type": "dict"}, [{"a": [1]}, {"a": [2]}], {"a": 2}, None),
    ({"type": "dict"}, [{"a": [{"b": "X Y"}]}], {"a": {"b": "X Y"}}, None),
    ({"type": "dict"}, [{"a": [{"b": "X Y"}]}], {"a": {"b": "xy"}}, "wrong_value"),
    ({"type": "dict"}, ["", {"a": [1]}], {}, "missing_key"),
    (ARRAY_OF_DICTS, [[{"a": [1]}, {"a": ["X"]}]], [{"a": 1}, {"a": "x"}], None),
    (ARRAY_OF_DICTS, [[{"a": [1]}, {"a": ["X"]}]], [{"a": "x"}, {"a": 1}], "wrong_value"),
    (ARRAY_OF_DICTS, [[{"a": [1]}]], [{"a": 1}, {"a": 1}], "wrong_value"),
    (ARRAY_OF_DICTS, [[{"a": [1]}], ""], ["a"], "wrong_value"),
]  # fmt: skip


@pytest.mark.parametrize(("schema", "allowed", "value", "error"), VALUES)
def test_a_value_is_compared_as_its_type_is(
    schema: dict[str, Any], allowed: list[Any], value: Any, error: str | None
) -> None:
    scored = judged(schema, allowed, value)
    assert scored.error_type == error
    assert scored.passed is (error is None)
    assert scored.scores == {"overall": float(error is None)}


def test_an_argument_may_be_left_out_only_where_the_answer_says_so() -> None:
    text = {"type": "string"}
    assert judged(text, ["a", ""], required=False).passed
    assert judged(text, ["a"], required=False).error_type == "missing_optional"
    assert judged(text, ["a", ""], required=True).error_type == "missing_required"


ONE = {"name": "a.b", "parameters": {"type": "dict", "properties": {}, "required": []}}
TWO = {**ONE, "name": "c"}
Asked = dict[str, Any]


def counted(
    category: str, functions: list[Asked], truths: list[Asked], made_calls: list[Asked]
) -> str | None:
    question = Question(category, functions, truths, made_calls)
    case, suite = question.case()
    return score(case, suite, question.answer(), mode="bfcl").error_type


def test_categories_decide_about_number_order_and_name() -> None:
    a: Asked = {"a.b": {}}
    c: Asked = {"c": {}}
    assert counted("simple", [ONE], [a], [a]) is None
    assert counted("simple", [ONE], [a], []) == "wrong_count"
    assert counted("simple", [ONE], [a], [a, a]) == "wrong_count"
    assert counted("simple", [ONE], [a], [{"a_b": {}}]) == "wrong_name"
    assert counted("simple", [ONE, TWO], [c], [c]) == "wrong_name"  # the first function counts
    assert counted("live_multiple", [ONE, TWO], [c], [c]) is None
    assert counted("live_multiple", [ONE, TWO], [c], [a]) == "wrong_name"
    assert counted("parallel_multiple", [ONE, TWO], [a, c], [c, a]) is None
    assert counted("parallel", [ONE, TWO], [a, c], [c, c]) == "no_match"
    assert counted("parallel", [ONE, TWO], [a, c], [a]) == "wrong_count"
    assert counted("simple", [ONE], [a], [{"a.b": {"x": 1}}]) == "unexpected_param"


def test_each_truth_takes_the_first_call_that_fits() -> None:
    """A flaw that is kept: the greedy order loses an answer that has a perfect matching."""
    schema = {"type": "dict", "properties": {"p": {"type": "integer"}}, "required": ["p"]}
    functions = [{"name": "f", "parameters": schema}]
    truths = [{"f": {"p": [1, 2]}}, {"f": {"p": [1]}}]
    one, two = {"f": {"p": 1}}, {"f": {"p": 2}}
    assert counted("parallel", functions, truths, [two, one]) is None
    assert counted("parallel", functions, truths, [one, two]) == "no_match"
    case, suite = Question("parallel", functions, truths, [one, two]).case()
    assert score(case, suite, answered(called("f", p=1), called("f", p=2))).passed


BROKEN = Answer((Call("get_weather", None, raw="{"),))
NOT_READ = Answer(None, text="{")


@pytest.mark.parametrize(
    ("expect", "given", "error"),
    [
        ({"kind": "none"}, answered(), None),
        ({"kind": "none"}, NOT_READ, None),
        ({"kind": "none"}, BROKEN, None),
        ({"kind": "none"}, answered(called("ping")), "unneeded_call"),
        ({"kind": "any"}, answered(called("whatever")), None),
        ({"kind": "any"}, answered(), "no_call"),
        ({"kind": "any"}, NOT_READ, "no_call"),
        (calls(due("get_weather", city="Oslo")), NOT_READ, "undecodable"),
        (calls(due("get_weather", city="Oslo")), BROKEN, "undecodable"),
    ],
)
def test_what_cannot_be_read_is_no_call(
    expect: dict[str, Any], given: Answer, error: str | None
) -> None:
    case, suite = suite_of(expect)
    assert score(case, suite, given, mode="bfcl").error_type == error


def test_a_suite_of_ones_own_is_scored_by_the_number_of_its_calls() -> None:
    oslo, rome = called("get_weather", city="oslo"), called("get_weather", city="Rome.")
    case, suite = suite_of(calls(due("get_weather", city="Oslo"), due("get_weather", city="Rome")))
    assert score(case, suite, answered(rome, oslo), mode="bfcl").passed
    case, suite = suite_of(calls(due("get_time", city="Oslo")))
    assert score(case, suite, answered(called("get_time", city="OSLO")), mode="bfcl").passed
    free = calls(due("get_weather", city="Oslo", days={"ignore": True}))
    case, suite = suite_of(free)
    long = answered(called("get_weather", city="Oslo", days=9))
    assert score(case, suite, long, mode="bfcl").passed
    assert score(case, suite, answered(oslo), mode="bfcl").passed


def test_values_of_ones_own_are_listed_as_the_leaderboard_lists_them() -> None:
    place = {"values": [{"street": "A", "deep": {"no": 1}}]}
    one = {"values": [], "match": {"kind": "one_of", "values": [1, 2]}}
    items = {"values": [[{"n": 1}, {"n": 2}]]}
    tools = [{"name": "f", "parameters": {"type": "object", "properties": {
        "place": {"type": "object"}, "one": {"type": "integer"},
        "items": {"type": "array", "items": {"type": "object"}}}}}]  # fmt: skip
    case, suite = suite_of(calls(due("f", place=place, one=one, items=items)), tools=tools)
    right: dict[str, Any] = {
        "place": {"street": "a.", "deep": {"no": 1}}, "one": 2, "items": [{"n": 1}, {"n": 2}],
    }  # fmt: skip
    assert score(case, suite, answered(called("f", **right)), mode="bfcl").passed
    wrong: dict[str, Any]
    for wrong in ({"one": 3}, {"place": {"street": "A"}}, {"items": [{"n": 2}, {"n": 1}]}):
        given = answered(called("f", **{**right, **wrong}))
        assert not score(case, suite, given, mode="bfcl").passed


# schema, allowed values, value, passes the leaderboard, passes the studio: docs/tools.md
FLAWS: list[tuple[dict[str, Any], list[Any], Any, bool, bool]] = [
    ({"type": "string"}, ["15"], "1.5", True, False),
    ({"type": "string"}, ["ab"], "a-b", True, False),
    (FLOATS, [[1.0], ""], [], True, False),
    (FLOATS, [[1.0, 2.5]], [1, 2.5], False, True),
    ({"type": "integer"}, [5], 5.0, False, True),
    ({"type": "array", "items": STRINGS}, [[["a"]]], [["a "]], False, True),
    (FLOATS, [[1.0], ""], [True], True, False),
    ({"type": "integer"}, ["count"], "count", True, False),
    ({"type": "string", "enum": ["C", "F"]}, ["K"], "K", True, False),
]


@pytest.mark.parametrize(("schema", "allowed", "value", "there", "here"), FLAWS)
def test_what_the_leaderboard_gets_wrong_the_studio_does_not(
    schema: dict[str, Any], allowed: list[Any], value: Any, there: bool, here: bool
) -> None:
    assert judged(schema, allowed, value).passed is there
    assert judged(schema, allowed, value, mode="studio").passed is here


def test_a_default_and_the_second_function_are_looked_at_by_the_studio_only() -> None:
    unit = {"type": "string", "default": "C"}
    schema = {"type": "dict", "properties": {"unit": unit}, "required": []}
    functions = [{"name": "f", "parameters": schema}]
    plain = Question("simple", functions, [{"f": {}}], [{"f": {"unit": "C"}}])
    second = Question("simple", [ONE, TWO], [{"c": {}}], [{"c": {}}])
    for question in (plain, second):
        case, suite = question.case()
        assert not score(case, suite, question.answer(), mode="bfcl").passed
        assert score(case, suite, question.answer()).passed


def test_source_text_is_refused_in_a_sentence() -> None:
    case, suite = suite_of(calls(due("ping")), case={"category": "simple_java"})
    with pytest.raises(Unscorable, match="Java and JavaScript"):
        score(case, suite, answered(called("ping")), mode="bfcl")


def test_a_failed_call_shows_what_was_possible() -> None:
    [diff] = judged({"type": "string"}, ["Oslo", ""], "Rome").diffs
    assert (diff.name, diff.expected, diff.found) == ("p", ["Oslo", ""], "Rome")
    assert diff.rule == SENTENCES["wrong_value"]


def test_no_verdict_differs_from_a_second_reading_of_the_rules() -> None:
    passed = 0
    for question in bfcl_random.questions(QUICK, seed=11):
        case, suite = question.case()
        scored = score(case, suite, question.answer(), mode="bfcl")
        expected = bfcl_reference.verdict(
            question.category, question.functions, question.truths, question.calls
        )
        assert scored.passed is expected, json.dumps(question.__dict__)
        passed += scored.passed
    assert QUICK * 0.2 < passed < QUICK * 0.8  # both verdicts are tried
