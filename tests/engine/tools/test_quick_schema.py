"""The compiled plain schemas find what jsonschema finds."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.tools.quick_schema import compiled
from engine.tools.schema_errors import explained
from engine.tools.schemas import problems
from engine.tools.validator import validator_for

NAMES = st.sampled_from(["a", "b", "c"])
SCALARS: st.SearchStrategy[Any] = st.sampled_from(
    [None, True, False, 0, 1, 2, 1.0, 1.5, "a", "ab", "", "2024-02-30", "2024-02-29", float("inf")]
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=6,
)
TYPES = st.sampled_from(
    ["string", "integer", "number", "boolean", "array", "object", "null", ["string", "null"]]
)
COUNT = st.integers(0, 2)
WORDS: dict[str, st.SearchStrategy[Any]] = {
    "type": TYPES,
    "enum": st.lists(VALUES, min_size=1, max_size=3),
    "const": VALUES,
    "minimum": st.sampled_from([0, 1, 1.5]),
    "maximum": st.sampled_from([0, 1, 1.5]),
    "exclusiveMinimum": st.just(1),
    "exclusiveMaximum": st.just(1),
    "minLength": COUNT,
    "maxLength": COUNT,
    "minItems": COUNT,
    "maxItems": COUNT,
    "minProperties": COUNT,
    "maxProperties": COUNT,
    "pattern": st.sampled_from(["a", "^a$", "b+"]),
    "format": st.sampled_from(["date", "email", "nonsense"]),
    "required": st.lists(NAMES, max_size=2, unique=True),
    "description": st.just("a note"),
    "nonsense": st.just({"type": "nonsense"}),
}


def with_parts(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    several = st.lists(inner, min_size=1, max_size=3)
    return st.fixed_dictionaries(
        {},
        optional={
            **WORDS,
            "properties": st.dictionaries(NAMES, inner, max_size=3),
            "additionalProperties": st.booleans() | inner,
            "items": inner,
            "anyOf": several,
            "oneOf": several,
            "allOf": several,
        },
    )


PLAIN = st.recursive(st.fixed_dictionaries({}, optional=WORDS), with_parts, max_leaves=4)


@settings(deadline=None, max_examples=150)
@given(PLAIN, st.dictionaries(NAMES, VALUES, max_size=3))
def test_a_plain_schema_says_what_jsonschema_says(
    schema: dict[str, Any], arguments: dict[str, Any]
) -> None:
    schema = {"type": "object", "properties": {"a": schema, "b": schema}, "required": ["a"]}
    assert compiled(schema) is not None
    assert problems(schema, arguments) == explained(validator_for(schema), arguments)


@pytest.mark.parametrize(
    "schema",
    [
        {"$ref": "#/$defs/a", "$defs": {"a": {}}},
        {"properties": {"a": {"not": {}}}},
        {"properties": {"a": {"type": "float"}}},
        {"properties": {"a": {"type": []}}},
        {"properties": {"a": {"type": ["string", "string"]}}},
        {"properties": {"a": True}},
        {"properties": ["a"]},
        {"required": "a"},
        {"enum": "a"},
        {"minimum": True},
        {"minLength": 1.5},
        {"anyOf": []},
        {"pattern": 5},
        {"required": ["a", "a"]},
        {"maxItems": -1},
        {"description": 5},
    ],
)
def test_what_is_not_plain_is_left_to_the_whole_language(schema: dict[str, Any]) -> None:
    assert compiled(schema) is None


def test_a_schema_deeper_than_calls_may_go_is_not_plain() -> None:
    deep: Any = {}
    for _ in range(200):
        deep = {"items": deep}
    assert compiled(deep) is None
