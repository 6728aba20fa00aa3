"""The studio's rules, from the specification: what passes, what each part is, which class."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.specs import ToolWeights
from engine.tools.answers import Answer, Call, Scored
from engine.tools.scoring import MODES, Scorer, score
from tests.engine.tools.builders import answered, called, calls, due, suite_of

WEATHER = calls(due("get_weather", city="Oslo"))
BOTH = calls(due("get_weather", city="Oslo"), due("get_weather", city="Rome"))
TWO = calls(due("get_weather", city="Oslo"), due("get_time", city="Oslo"))
IN_ORDER = {**TWO, "order": "strict"}
OSLO, ROME = called("get_weather", city="Oslo"), called("get_weather", city="Rome")
TIME = called("get_time", city="Oslo")
BROKEN = Call("get_weather", None, raw='{"city": ')
NOTHING_READ = Answer(calls=None, text="<tool_call>{")


def judged(expect: dict[str, Any], given: Answer, **fields: Any) -> Scored:
    case, suite = suite_of(expect, **fields)
    return score(case, suite, given)


# expectation, answer, class, parts that are not full
TABLE: list[tuple[dict[str, Any], Answer, str | None, dict[str, float]]] = [
    (WEATHER, answered(OSLO), None, {}),
    (WEATHER, answered(called("get_weather", city=" Oslo")), None, {}),
    (WEATHER, answered(called("get_weather", city="Oslo", unit="C")), None, {}),
    (WEATHER, answered(ROME), "wrong_value", {"arguments": 0, "overall": 0.6}),
    (WEATHER, answered(), "no_call", {"selection": 0, "arguments": 0, "schema": 0, "overall": 0}),
    (WEATHER, NOTHING_READ, "malformed_arguments",
     {"selection": 0, "arguments": 0, "schema": 0, "overall": 0}),
    (WEATHER, answered(BROKEN), "malformed_arguments",
     {"arguments": 0, "schema": 0, "overall": 0.6}),
    (WEATHER, answered(called("get_weather")), "missing_argument",
     {"arguments": 0, "schema": 0, "overall": 0.6}),
    (WEATHER, answered(called("get_weather", city=5)), "wrong_type",
     {"arguments": 0, "schema": 0, "overall": 0.6}),
    (WEATHER, answered(called("get_weather", city="Oslo", unit="F")), "unknown_argument",
     {"arguments": 0.5, "overall": 0.8}),
    (WEATHER, answered(called("get_weather", city="Oslo", mood="mild")), "unknown_argument",
     {"arguments": 0.5, "overall": 0.8}),
    (WEATHER, answered(TIME), "wrong_tool", {"selection": 0, "arguments": 0, "overall": 0}),
    (WEATHER, answered(called("weather", city="Oslo")), "unknown_tool",
     {"selection": 0, "arguments": 0, "schema": 0, "overall": 0}),
    (WEATHER, answered(OSLO, TIME), "extra_call", {"selection": 2 / 3, "overall": 0.8}),
    (WEATHER, answered(OSLO, OSLO), "extra_call", {"selection": 2 / 3, "overall": 0.8}),
    (BOTH, answered(ROME, OSLO), None, {}),
    (BOTH, answered(OSLO), "missing_call", {"selection": 2 / 3, "arguments": 0.5, "overall": 0.6}),
    (BOTH, answered(OSLO, OSLO), "wrong_value", {"arguments": 0.5, "overall": 0.8}),
    (TWO, answered(TIME, OSLO), None, {}),
    (IN_ORDER, answered(OSLO, TIME), None, {}),
    (IN_ORDER, answered(TIME, OSLO), "wrong_order", {"arguments": 0.5, "order": 0, "overall": 0.8}),
    (IN_ORDER, answered(TIME), "missing_call",
     {"selection": 2 / 3, "arguments": 0.5, "overall": 0.6}),
    (calls(due("ping")), answered(called("ping")), None, {}),
    (calls(due("ping")), answered(called("ping", x=1)), "unknown_argument",
     {"arguments": 0, "overall": 0.6}),
    (calls(due("get_weather", city="Oslo", unit="C")), answered(OSLO), None, {}),
    (calls(due("get_weather", city="Oslo", unit="F")), answered(OSLO), "missing_argument",
     {"arguments": 0.5, "overall": 0.8}),
    (calls(due("get_weather", city="Oslo", unit={"values": ["C"], "default_ok": False})),
     answered(OSLO), "missing_argument", {"arguments": 0.5, "overall": 0.8}),
    (calls(due("get_weather", city="Oslo", days={"values": [3], "optional": True})),
     answered(OSLO), None, {}),
    (calls(due("get_weather", city="Oslo", days={"values": [3], "optional": True})),
     answered(called("get_weather", city="Oslo", days=4)), "wrong_value",
     {"arguments": 0.5, "overall": 0.8}),
    (calls(due("get_weather", city="Oslo", days={"ignore": True})),
     answered(called("get_weather", city="Oslo", days=9)), None, {}),
    (calls(due("get_weather", city="Oslo", days={"ignore": True})),
     answered(called("get_weather", city="Oslo", days="many")), "wrong_type",
     {"schema": 0}),
    (calls({**due("get_weather", city="Oslo"), "ignore_others": True}),
     answered(called("get_weather", city="Oslo", days=9)), None, {}),
    (calls(due("get_weather", city="Oslo", unit={"values": ["K"]})),
     answered(called("get_weather", city="Oslo", unit="K")), "invalid_schema", {"schema": 0}),
    ({"kind": "none"}, answered(), None, {}),
    ({"kind": "none"}, answered(OSLO), "unneeded_call", {"abstention": 0, "overall": 0}),
    ({"kind": "none"}, NOTHING_READ, "malformed_arguments", {"abstention": 0, "overall": 0}),
    ({"kind": "none"}, answered(BROKEN), "unneeded_call", {"abstention": 0, "overall": 0}),
    ({"kind": "any"}, answered(ROME), None, {}),
    ({"kind": "any"}, answered(), "no_call", {"selection": 0, "schema": 0, "overall": 0}),
    ({"kind": "any"}, NOTHING_READ, "malformed_arguments",
     {"selection": 0, "schema": 0, "overall": 0}),
    ({"kind": "any"}, answered(BROKEN), "malformed_arguments", {"schema": 0, "overall": 0.6}),
    ({"kind": "any"}, answered(called("nope")), "unknown_tool",
     {"selection": 0, "schema": 0, "overall": 0}),
]  # fmt: skip


@pytest.mark.parametrize(("expect", "given", "error", "parts"), TABLE)
def test_each_part_and_the_worst_class(
    expect: dict[str, Any], given: Answer, error: str | None, parts: dict[str, float]
) -> None:
    scored = judged(expect, given)
    assert scored.error_type == error
    assert scored.passed is (error is None)
    not_full = {name: value for name, value in scored.scores.items() if value != 1}
    assert not_full == pytest.approx(parts)
    assert scored.reason.endswith(".")


def test_every_argument_has_a_diff_with_the_rule_that_fired() -> None:
    expect = calls(due("get_weather", city="Oslo", days=3))
    scored = judged(expect, answered(called("get_weather", city="Rome", days=3.0, mood=1)))
    assert [(d.name, d.error, d.rule) for d in scored.diffs] == [
        ("city", "wrong_value", 'Must equal "Oslo".'),
        ("days", None, "Equal."),
        ("mood", "unknown_argument", "The tool has no such argument."),
    ]
    assert scored.errors == ("unknown_argument", "wrong_value")
    assert scored.reason == "mood: The tool has no such argument."


def test_the_best_of_several_sets_of_calls_wins() -> None:
    expect = {
        "kind": "calls",
        "alternatives": [[due("get_weather", city="Oslo")], [due("ping"), due("get_time")]],
    }
    assert judged(expect, answered(called("ping"), called("get_time"))).passed
    assert judged(expect, answered(OSLO)).passed
    assert judged(expect, answered(called("ping"))).error_type == "missing_call"


def test_a_case_may_choose_its_matcher_and_its_tools() -> None:
    fold = {"kind": "exact", "fold_case": True}
    loud = answered(called("get_weather", city="OSLO"))
    assert not judged(WEATHER, loud).passed
    assert judged(WEATHER, loud, match=fold).passed
    assert judged(WEATHER, loud, case={"match": fold}).passed
    own = [{"name": "get_weather", "parameters": {"type": "object", "required": ["unit"]}}]
    assert judged(WEATHER, answered(OSLO), case={"tools": own}).error_type == "missing_argument"


def test_a_number_in_text_with_another_point_is_another_number() -> None:
    expect = calls(due("get_time", city="1.5"))
    assert judged(expect, answered(called("get_time", city="15"))).error_type == "wrong_value"


def test_calls_in_plain_text_count_only_when_asked_for() -> None:
    case, suite = suite_of(WEATHER)
    given = answered(OSLO, recovered=True)
    scored = score(case, suite, given)
    assert (scored.error_type, scored.scores["overall"]) == ("no_call", 0)
    assert "plain text" in scored.reason
    assert score(case, suite, given, count_recovered=True).passed
    none, suite = suite_of({"kind": "none"})
    assert not score(none, suite, given).passed


def test_weights_are_shares_of_their_sum() -> None:
    case, suite = suite_of(WEATHER)
    for weights, overall in (((0.6, 0.4), 0.6), ((1, 1), 0.5), ((0, 1), 0), ((0, 0), 0.5)):
        chosen = ToolWeights(selection=weights[0], arguments=weights[1])
        assert score(case, suite, answered(ROME), weights=chosen).scores["overall"] == overall


def test_an_end_state_is_held_key_by_key() -> None:
    case, suite = suite_of(
        {"kind": "state", "state": {"door": "open", "lamp": {"on": True}}}, case={"chain": {}}
    )
    scorer = Scorer(suite, mode="state")
    there = {"door": "open", "lamp": {"on": True, "dim": 1}, "cat": 1}
    assert scorer.score(case, answered(), end_state=there).passed
    half = scorer.score(case, answered(), end_state={"door": "shut", "lamp": {"on": True}})
    assert (half.error_type, half.scores) == ("stalled_chain", {"overall": 0.5, "state": 0.5})
    assert half.reason == 'door is "shut" at the end, not "open".'


def test_a_turn_is_scored_by_its_own_expectation() -> None:
    case, suite = suite_of({"kind": "none"})
    wanted, _ = suite_of(WEATHER)
    scorer = Scorer(suite)
    assert scorer.score_calls(case, wanted.expect, answered(OSLO)).passed  # type: ignore[arg-type]


def test_a_schema_that_cannot_be_checked_against_says_nothing_against_a_model() -> None:
    tools = [{"name": "get_weather", "parameters": {"$ref": "#"}}]
    assert judged(WEATHER, answered(OSLO), tools=tools).passed


CITIES = st.sampled_from(["Oslo", "Rome", "Bern"])
UNITS = st.sampled_from([None, "C", "F"])
NAMES = ("get_weather", "get_time", "ping")
DUE = st.tuples(st.sampled_from(NAMES), CITIES, UNITS)
FREE = [{"name": name} for name in NAMES]


def as_due(item: tuple[str, str, str | None]) -> dict[str, Any]:
    name, city, unit = item
    return due(name, city=city, **({"unit": unit} if unit else {}))


def as_made(item: tuple[str, str, str | None]) -> Call:
    name, city, unit = item
    return called(name, city=city, **({"unit": unit} if unit else {}))


@settings(deadline=None, max_examples=150)
@given(st.lists(DUE, min_size=1, max_size=6), st.randoms(use_true_random=False))
def test_a_shuffled_answer_with_a_perfect_matching_passes(items: list[Any], random: Any) -> None:
    case, suite = suite_of(calls(*map(as_due, items)), tools=FREE)
    shuffled = [as_made(item) for item in items]
    random.shuffle(shuffled)
    assert score(case, suite, answered(*shuffled)).passed
    strict, suite = suite_of(calls(*map(as_due, items), order="strict"), tools=FREE)
    in_order = [as_made(item) for item in items]
    assert score(strict, suite, answered(*in_order)).passed
    assert score(strict, suite, answered(*shuffled)).passed is (shuffled == in_order)


@settings(deadline=None, max_examples=150)
@given(st.lists(DUE, min_size=1, max_size=6), st.data())
def test_one_wrong_value_never_passes(items: list[Any], data: st.DataObject) -> None:
    case, suite = suite_of(calls(*map(as_due, items)), tools=FREE)
    wrong = data.draw(st.integers(0, len(items) - 1))
    name, _, unit = items[wrong]
    given_calls = [as_made(item) for item in items]
    given_calls[wrong] = as_made((name, "Paris", unit))
    scored = score(case, suite, answered(*given_calls))
    assert not scored.passed
    assert scored.scores["overall"] < 1
    assert scored.scores["selection"] == 1
    assert scored.error_type == "wrong_value"


NAME = st.sampled_from(["a", "b"])
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(NAME, inner, max_size=2),
    max_leaves=5,
)
TYPE = st.sampled_from(["string", "integer", "object", "array", "float", "dict"])
SCHEMA = st.recursive(
    st.sampled_from([{}, {"$ref": "#"}, {"$ref": "#/properties/a"}, {"enum": [1, "x", None]}])
    | st.builds(lambda kind: {"type": kind}, TYPE | st.lists(TYPE, min_size=1, max_size=2)),
    lambda inner: (
        st.builds(lambda word, part: {word: part}, st.sampled_from(["items", "not", "if"]), inner)
        | st.builds(
            lambda word, parts: {word: parts},
            st.sampled_from(["anyOf", "oneOf", "allOf", "prefixItems"]),
            st.lists(inner, min_size=1, max_size=2),
        )
        | st.builds(lambda parts: {"properties": parts}, st.dictionaries(NAME, inner, max_size=2))
    ),
    max_leaves=4,
)


@settings(deadline=None, max_examples=150)
@given(st.dictionaries(NAME, SCHEMA, max_size=2), JSON, st.dictionaries(NAME, JSON, max_size=2))
def test_no_schema_and_no_value_breaks_scoring(
    properties: dict[str, Any], expected: Any, found: dict[str, Any]
) -> None:
    tools = [{"name": "f", "parameters": {"type": "object", "properties": properties}}]
    argument = {"values": [expected], "match": None}
    case, suite = suite_of(calls(due("f", a=argument)), tools=tools)
    for mode in MODES:
        scored = score(case, suite, answered(Call("f", found)), mode=mode)  # type: ignore[arg-type]
        assert all(0 <= value <= 1 for value in scored.scores.values())
        assert scored.passed is (scored.error_type is None)


def test_values_nested_too_deep_are_no_crash() -> None:
    deep: Any = []
    for _ in range(5_000):
        deep = [deep]
    argument = {"values": [["x"]], "match": {"kind": "set"}}
    case, suite = suite_of(calls(due("ping", x=argument)))
    scored = score(case, suite, answered(called("ping", x=deep)))
    assert (scored.passed, scored.error_type) == (False, "malformed_arguments")
