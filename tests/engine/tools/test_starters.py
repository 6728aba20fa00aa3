"""Starter cases: one a tool, one without a call, the same every time, answerable."""

from __future__ import annotations

from typing import Any

import pytest
from jsonschema import Draft202012Validator

from engine.tools.starters import example, suite_of
from engine.tools.suites import ExpectCalls, Tool
from tests.engine.tools.mcp_servers import schema

TOOLS = [Tool(name=f"lookup_{n}", parameters=schema(n)) for n in range(3)]


def test_each_picked_tool_has_a_case_and_one_needs_no_call() -> None:
    suite = suite_of(TOOLS, "Library", picked=["lookup_2", "lookup_0"])
    assert [tool.name for tool in suite.tools] == ["lookup_0", "lookup_2"]
    assert [case.id for case in suite.cases] == ["call-lookup_0", "call-lookup_2", "no-call"]
    assert suite.cases[-1].expect.kind == "none"
    assert suite == suite_of(TOOLS, "Library", picked=["lookup_0", "lookup_2"])


def test_a_prompt_says_every_value_that_is_expected() -> None:
    case = suite_of(TOOLS, "Library").cases[0]
    assert case.prompt == (
        'Call the tool lookup_0, once. Take these values: city is "sample city".'
    )
    assert isinstance(case.expect, ExpectCalls)
    [[call]] = case.expect.alternatives
    assert {name: arg.values for name, arg in call.arguments.items()} == {"city": ("sample city",)}


def test_without_starters_there_are_tools_alone() -> None:
    assert suite_of(TOOLS, "Library", starters=False).cases == ()
    assert suite_of(TOOLS, "Library", picked=[]).cases == ()


@pytest.mark.parametrize(
    ("part", "value"),
    [
        ({"type": "string", "enum": ["b", "a"]}, "b"),
        ({"type": "integer", "minimum": 10, "maximum": 20}, 10),
        ({"type": "integer", "maximum": 1}, 1),
        ({"type": "number"}, 3.0),
        ({"type": "boolean"}, True),
        ({"type": ["integer", "null"]}, 3),
        ({"anyOf": [{"type": "null"}, {"type": "integer"}]}, 3),
        ({"type": "string", "format": "date"}, "2026-03-14"),
        ({"type": "string", "default": "x"}, "x"),
        ({"const": 7}, 7),
        ({"$ref": "#/$defs/Size"}, "S"),
        ({"type": "array", "items": {"type": "integer"}, "minItems": 2}, [3, 3]),
        ({"type": "object", "properties": {"b": {"type": "null"}}, "required": ["b"]}, {"b": None}),
        ({}, "sample a"),
    ],
)
def test_an_example_fits_its_schema(part: dict[str, Any], value: Any) -> None:
    root = {
        "type": "object",
        "properties": {"a": part, "other": {"type": "string"}},
        "required": ["a"],
        "$defs": {"Size": {"enum": ["S", "M"]}},
    }
    found = example(root)
    assert found == {"a": value}
    assert Draft202012Validator(root).is_valid(found)


def test_a_schema_that_holds_itself_ends() -> None:
    ring = {"type": "object", "properties": {"a": {"$ref": "#"}}, "required": ["a"]}
    knot = {"properties": {"a": {"$ref": "#/$defs/R"}}, "required": ["a"], "$defs": {"R": ring}}
    knot["$defs"]["R"] = {"$ref": "#/$defs/R"}  # type: ignore[index]
    assert "a" in example(ring)
    assert "a" in example(knot)
