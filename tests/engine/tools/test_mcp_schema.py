"""Schemas of MCP servers: simpler where they can be, and never another meaning."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from engine.tools.mcp_schema import mapped

TEXT = {"type": "string"}
NULL = {"type": "null"}
TREE = {
    "type": "object",
    "properties": {"parts": {"type": "array", "items": {"$ref": "#/$defs/T"}}},
}


def test_a_reference_is_put_in_its_place_with_what_stood_beside_it() -> None:
    schema = {
        "properties": {"at": {"$ref": "#/$defs/P", "description": "Where"}},
        "$defs": {"P": {"type": "object", "properties": {"x": {"$ref": "#/$defs/N"}}},
                  "N": {"type": "number"}},
    }  # fmt: skip
    place = {"type": "object", "properties": {"x": {"type": "number"}}, "description": "Where"}
    assert mapped(schema) == {"properties": {"at": place}}


@pytest.mark.parametrize(
    ("part", "simple"),
    [
        ({"anyOf": [TEXT, NULL]}, {"type": ["string", "null"]}),
        ({"anyOf": [NULL, TEXT], "default": None}, {"type": ["string", "null"], "default": None}),
        ({"anyOf": [{"type": "string", "enum": ["a"]}, NULL]},
         {"type": ["string", "null"], "enum": ["a", None]}),
        ({"anyOf": [TEXT, {"type": "integer"}]}, None),
        ({"anyOf": [TEXT, {"type": "integer"}, NULL]}, None),
        ({"anyOf": [{"const": 1}, NULL]}, None),
        ({"anyOf": [{"type": "integer", "minimum": 1}, NULL], "minimum": 5}, None),
    ],
)  # fmt: skip
def test_this_or_null_becomes_one_type_where_it_can(part: Any, simple: Any) -> None:
    schema = {"properties": {"a": part}}
    assert mapped(schema)["properties"]["a"] == (part if simple is None else simple)


def test_a_schema_that_refers_to_itself_keeps_its_definition() -> None:
    schema = {"properties": {"root": {"$ref": "#/$defs/T"}}, "$defs": {"T": TREE, "unused": TEXT}}
    assert mapped(schema) == {"properties": {"root": {"$ref": "#/$defs/T"}}, "$defs": {"T": TREE}}


def test_two_that_refer_to_each_other_and_a_ring_of_nothing() -> None:
    pair = {"A": {"properties": {"b": {"$ref": "#/$defs/B"}}},
            "B": {"properties": {"a": {"$ref": "#/$defs/A"}}}}  # fmt: skip
    schema = {"properties": {"a": {"$ref": "#/$defs/A"}}, "$defs": pair}
    assert mapped(schema) == schema
    ring = {"$ref": "#/$defs/A", "$defs": {"A": {"$ref": "#/$defs/A"}}}
    assert mapped(ring) == ring


def test_references_that_would_blow_up_leave_the_schema_as_it_came() -> None:
    defs: dict[str, Any] = {
        f"L{n}": {"properties": {side: {"$ref": f"#/$defs/L{n + 1}"} for side in "ab"}}
        for n in range(40)
    }
    schema = {"properties": {"a": {"$ref": "#/$defs/L0"}}, "$defs": defs | {"L40": TEXT}}
    assert mapped(schema) is schema


@pytest.mark.parametrize("count", [60, 20_000])
def test_a_long_chain_of_references_leaves_the_schema_as_it_came(count: int) -> None:
    defs: dict[str, Any] = {
        f"L{n}": {"properties": {"a": {"$ref": f"#/$defs/L{n + 1}"}}} for n in range(count)
    }
    schema = {"properties": {"a": {"$ref": "#/$defs/L0"}}, "$defs": defs | {f"L{count}": TEXT}}
    assert mapped(schema) is schema


def test_what_stands_beside_a_reference_still_counts() -> None:
    number = {"type": "integer", "minimum": 1}
    schema = {
        "properties": {"a": {"$ref": "#/$defs/N", "minimum": 5, "title": "A"}},
        "$defs": {"N": number},
    }
    both = {"minimum": 5, "title": "A", "allOf": [number]}
    assert mapped(schema) == {"properties": {"a": both}}


@pytest.mark.parametrize("ref", ["#/$defs/missing", "https://example.org/s.json", 7, "#"])
def test_a_reference_to_elsewhere_stays(ref: Any) -> None:
    schema = {"properties": {"a": {"$ref": ref}}}
    assert mapped(schema) == schema


LEAF = st.sampled_from([TEXT, {"type": "integer"}, {"type": "array", "items": TEXT}])
PART = st.recursive(
    LEAF | st.sampled_from([{"$ref": f"#/$defs/{n}"} for n in "AB"]),
    lambda part: (
        part.map(lambda p: {"anyOf": [p, NULL]})
        | st.dictionaries(st.sampled_from("xyz"), part, max_size=2).map(
            lambda p: {"type": "object", "properties": p}
        )
    ),
    max_leaves=5,
)
# A definition may refer to itself, though never at its own top.
DEFINITION = st.dictionaries(st.sampled_from("xyz"), PART, max_size=2).map(
    lambda p: {"type": "object", "properties": p}
)
VALUE = st.recursive(
    st.none() | st.integers() | st.text(max_size=2),
    lambda part: (
        st.lists(part, max_size=2) | st.dictionaries(st.sampled_from("xyz"), part, max_size=2)
    ),
    max_leaves=6,
)


@settings(max_examples=60, deadline=None)
@given(PART, DEFINITION, LEAF, VALUE)
def test_what_was_valid_is_valid_and_nothing_else(
    part: Any, first: Any, second: Any, value: Any
) -> None:
    schema = {"type": "object", "properties": {"x": part}, "$defs": {"A": first, "B": second}}
    simple = mapped(schema)
    for asked in (value, {"x": value}):
        before = Draft202012Validator(schema).is_valid(asked)
        assert Draft202012Validator(simple).is_valid(asked) == before, json.dumps(simple)
