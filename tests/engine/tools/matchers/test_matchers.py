"""Matchers, one table: what fits, what does not, and the rule that is told."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter

from engine.tools.matchers import MATCHERS, NoSimilarity, fit
from engine.tools.matchers.base import key_of, same
from engine.tools.suites import Matcher, Semantic

READ: TypeAdapter[Matcher] = TypeAdapter(Matcher)

# matcher, allowed values, value found, whether it fits
TABLE: list[tuple[dict[str, Any], list[Any], Any, bool]] = [
    ({"kind": "exact"}, ["Oslo"], "Oslo", True),
    ({"kind": "exact"}, ["Oslo"], " Oslo ", True),
    ({"kind": "exact"}, ["Oslo"], "oslo", False),
    ({"kind": "exact", "fold_case": True}, ["Straße"], "STRASSE", True),
    ({"kind": "exact", "trim": False}, ["Oslo"], "Oslo ", False),
    ({"kind": "exact"}, ["1.5"], "15", False),
    ({"kind": "exact"}, ["1.5"], 1.5, False),
    ({"kind": "exact"}, [5], 5.0, True),
    ({"kind": "exact"}, [5.0], 5, True),
    ({"kind": "exact"}, [10**400], 10**400, True),
    ({"kind": "exact"}, [1], True, False),
    ({"kind": "exact"}, [True], 1, False),
    ({"kind": "exact"}, [False], 0.0, False),
    ({"kind": "exact"}, [True], True, True),
    ({"kind": "exact"}, [None], None, True),
    ({"kind": "exact"}, [None], "", False),
    ({"kind": "exact"}, ["", None], None, True),
    ({"kind": "exact"}, [[1, "a"]], [1.0, "a "], True),
    ({"kind": "exact"}, [[1, 2]], [2, 1], False),
    ({"kind": "exact"}, [{"a": [1]}], {"a": [1.0]}, True),
    ({"kind": "exact"}, [{"a": 1}], {"a": 1, "b": 2}, False),
    ({"kind": "exact"}, [{"a": 1}], {"a": True}, False),
    ({"kind": "exact"}, [], "x", False),
    ({"kind": "one_of", "values": [1, "two"]}, [3], "two", True),
    ({"kind": "one_of", "values": [1, "two"]}, [3], 3, True),
    ({"kind": "one_of", "values": [1, "two"]}, [], 4, False),
    ({"kind": "fuzzy"}, ["New York City"], "City New York", True),
    ({"kind": "fuzzy"}, ["Oslo"], "Rome", False),
    ({"kind": "fuzzy"}, ["5"], 5, False),
    ({"kind": "fuzzy", "threshold": 0.5}, ["kitten"], "sitting", True),
    ({"kind": "contains"}, ["ham"], "A HAMMER", True),
    ({"kind": "contains", "fold_case": False}, ["ham"], "A HAMMER", False),
    ({"kind": "contains"}, [15], "room 151", True),
    ({"kind": "contains"}, ["x"], ["y", "x"], True),
    ({"kind": "regex", "pattern": "[A-Z]{2}[0-9]+"}, [], "AB12", True),
    ({"kind": "regex", "pattern": "[A-Z]{2}[0-9]+"}, [], "AB12 ", False),
    ({"kind": "regex", "pattern": "[0-9]+"}, [], 12, True),
    ({"kind": "regex", "pattern": "(?=x)x"}, [], "x", False),
    ({"kind": "numeric"}, [5], 5.0, True),
    ({"kind": "numeric", "absolute": 0.5}, [5], 5.5, True),
    ({"kind": "numeric", "absolute": 0.5}, [5], 5.51, False),
    ({"kind": "numeric", "absolute": 0.1}, [0.3], 0.4, True),
    ({"kind": "numeric"}, [0.3], 0.1 + 0.2, False),
    ({"kind": "numeric", "relative": 0.1}, [-100], -91, True),
    ({"kind": "numeric", "relative": 0.1}, [-100], -89, False),
    ({"kind": "numeric", "relative": 0.1}, [10**400], 1.0, False),
    ({"kind": "numeric", "absolute": 1}, [1], True, False),
    ({"kind": "numeric", "absolute": 1}, [1], "1", False),
    ({"kind": "date"}, ["2024-03-05"], "March 5, 2024", True),
    ({"kind": "date"}, ["2024-03-05"], "5 Mar 2024 00:00", True),
    ({"kind": "date"}, ["2024-03-05T10:00:00Z"], "2024-03-05T12:00:00+02:00", True),
    ({"kind": "date"}, ["2024-03-05T10:00:00"], "2024-03-05 10:00 UTC", True),
    ({"kind": "date"}, ["2024-03-05T10:00:00Z"], "2024-03-05T10:00:01Z", False),
    ({"kind": "date"}, ["2024-03-05"], "5 March", False),
    ({"kind": "date"}, ["5 March"], "March 5th", True),
    ({"kind": "date"}, ["14:00"], "2 pm", True),
    ({"kind": "date"}, ["2000-03-05"], "5 March", False),
    ({"kind": "date"}, ["2000-01-01 14:00"], "14:00", False),
    ({"kind": "date"}, ["2024-03-05"], "soon", False),
    ({"kind": "date"}, ["2024-03-05"], "2024-03-05 10:00 EST", False),
    ({"kind": "date"}, ["2024-03-05"], 20240305, False),
    ({"kind": "date"}, ["2024-03-05"], "9" * 5_000, False),
    ({"kind": "set"}, [["a", "b", "b"]], ["b", "a", "b"], True),
    ({"kind": "set"}, [["a", "b", "b"]], ["b", "a"], False),
    ({"kind": "set"}, [[1, {"x": 2}]], [{"x": 2.0}, 1.0], True),
    ({"kind": "set"}, [[1]], [True], False),
    ({"kind": "set"}, [["a"]], "a", False),
    ({"kind": "list"}, [["a", "b"]], ["a", "b"], True),
    ({"kind": "list"}, [["a", "b"]], ["b", "a"], False),
    ({"kind": "subset"}, [{"a": {"b": 1}}], {"a": {"b": 1, "c": 2}, "d": 3}, True),
    ({"kind": "subset"}, [{"a": {"b": 1}}], {"a": {"c": 2}}, False),
    ({"kind": "subset"}, [{"a": [{"b": 1}]}], {"a": [{"b": 1, "c": 2}]}, True),
    ({"kind": "subset"}, [{"a": [{"b": 1}]}], {"a": [{"b": 1}, {"b": 1}]}, False),
    ({"kind": "allowed"}, [{"a": [1, 2], "b": ["x", ""]}], {"a": 2}, True),
    ({"kind": "allowed"}, [{"a": [1, 2], "b": ["x", ""]}], {"a": 2, "b": "x"}, True),
    ({"kind": "allowed"}, [{"a": [1, 2], "b": ["x", ""]}], {"a": 3, "b": "x"}, False),
    ({"kind": "allowed"}, [{"a": [1, 2], "b": ["x", ""]}], {"b": "x"}, False),
    ({"kind": "allowed"}, [{"a": [1, 2]}], {"a": 1, "c": 1}, False),
    ({"kind": "allowed"}, [{"a": [{"b": [1, 2]}]}], {"a": {"b": 2}}, True),
    ({"kind": "allowed"}, [[{"a": [1]}, {"a": [2]}]], [{"a": 1}, {"a": 2}], True),
    ({"kind": "allowed"}, [[{"a": [1]}, {"a": [2]}]], [{"a": 2}, {"a": 1}], False),
    ({"kind": "allowed"}, [{"a": [1]}], [1], False),
    ({"kind": "semantic"}, ["a fast car"], "a quick car", True),
    ({"kind": "semantic"}, ["a fast car"], "a slow boat", False),
]  # fmt: skip


def likeness(a: str, b: str) -> float:
    return 0.9 if a.rsplit(maxsplit=1)[-1] == b.rsplit(maxsplit=1)[-1] else 0.1


@pytest.mark.parametrize(("matcher", "values", "found", "fits"), TABLE)
def test_a_value_fits_by_the_rule_of_its_matcher(
    matcher: dict[str, Any], values: list[Any], found: Any, fits: bool
) -> None:
    result = fit(READ.validate_python(matcher), values, found, likeness)
    assert result.fits is fits
    assert result.rule.endswith(".")
    assert len(result.rule) < 500


def test_every_matcher_of_a_suite_is_known_and_tried() -> None:
    assert {row[0]["kind"] for row in TABLE} == set(MATCHERS)
    kinds = set(READ.json_schema()["discriminator"]["mapping"])
    assert kinds == set(MATCHERS)


def test_the_rule_says_what_was_expected() -> None:
    exact = READ.validate_python({"kind": "exact"})
    assert fit(exact, ["Oslo", "Rome"], "Paris").rule == 'Must equal "Oslo" or "Rome".'
    assert fit(exact, ["5"], 5).rule == "Must be a text, not a number."
    fuzzy = READ.validate_python({"kind": "fuzzy"})
    assert fit(fuzzy, ["Oslo"], "Osla").rule == '0.75 similar to "Oslo", below 0.85.'


def test_meaning_needs_somebody_to_ask() -> None:
    with pytest.raises(NoSimilarity, match="embedding model or a judge"):
        fit(Semantic(), ["a"], "a")


def test_a_pattern_that_explodes_elsewhere_takes_no_time() -> None:
    started = time.process_time()
    bad = READ.validate_python({"kind": "regex", "pattern": "(a|a)*(a+)+b"})
    assert not fit(bad, [], "a" * 99_000).fits
    assert not fit(bad, [], "a" * 2_000_000 + "b").fits
    assert time.process_time() - started < 2


TEXTS = st.text(max_size=3)
PLAIN = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | TEXTS
VALUES = st.recursive(
    PLAIN,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=6,
)


@settings(deadline=None)
@given(VALUES, VALUES)
def test_keys_are_equal_where_values_are(a: Any, b: Any) -> None:
    assert same(a, b) == (key_of(a) == key_of(b))
    assert same(a, b) == same(b, a)
    assert same(a, json.loads(json.dumps(a)))


@settings(deadline=None)
@given(VALUES, VALUES)
def test_no_matcher_breaks_on_any_value(expected: Any, found: Any) -> None:
    for kind in MATCHERS:
        match = READ.validate_python(
            {"kind": kind, **({"pattern": ".*"} if kind == "regex" else {})}
        )
        assert isinstance(fit(match, [expected], found, lambda _a, _b: 0.0).fits, bool)
