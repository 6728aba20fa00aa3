"""Schemas of tools: every word that counts, references inside only, and nothing hangs."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import time
from typing import Any

import pytest

from engine.tools.schemas import BadSchema, Schema, check_tool, problems
from engine.tools.suites import Tool


def objects(**properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties}


def kinds(schema: dict[str, Any], arguments: Any) -> list[tuple[str, str]]:
    return [(item.kind, item.argument) for item in problems(schema, arguments)]


TREE = {
    "type": "object",
    "properties": {"root": {"$ref": "#/$defs/node"}},
    "$defs": {
        "node": objects(value={"type": "integer"}, next={"$ref": "#/$defs/node"}),
    },
}
UNION = objects(
    id={"type": ["string", "null"]}, when={"anyOf": [{"type": "integer"}, {"const": "now"}]}
)
TABLE: list[tuple[dict[str, Any], Any, list[tuple[str, str]]]] = [
    (objects(n={"type": "integer"}), {"n": 5}, []),
    (objects(n={"type": "integer"}), {"n": 5.0}, []),
    (objects(n={"type": "integer"}), {"n": True}, [("wrong_type", "n")]),
    (objects(n={"type": "integer"}), {"n": "5"}, [("wrong_type", "n")]),
    (objects(n={"type": "number"}), {"n": 10**400}, []),
    ({**objects(n={}), "required": ["n", "it's"]}, {"n": 1}, [("missing_argument", "it's")]),
    ({**objects(n={}), "additionalProperties": False}, {"m": 1}, [("unknown_argument", "m")]),
    (objects(unit={"enum": ["C", "F"]}), {"unit": "K"}, [("invalid_schema", "unit")]),
    (objects(day={"format": "date"}), {"day": "2024-02-30"}, [("invalid_schema", "day")]),
    (objects(day={"format": "date"}), {"day": "2024-02-29"}, []),
    (objects(at={"format": "date-time"}), {"at": "2024-02-29T10:00:00Z"}, []),
    (objects(at={"format": "date-time"}), {"at": "2024-02-29 10:00"}, [("invalid_schema", "at")]),
    (objects(a=objects(b={"type": "string"})), {"a": {"b": 1}}, [("wrong_type", "a")]),
    (objects(a={"items": {"maximum": 3}}), {"a": [1, 9]}, [("invalid_schema", "a")]),
    (UNION, {"id": None, "when": "now"}, []),
    (UNION, {"id": 3, "when": 2}, [("wrong_type", "id")]),
    (UNION, {"when": "later"}, [("invalid_schema", "when")]),
    (TREE, {"root": {"value": 1, "next": {"value": 2, "next": {}}}}, []),
    (TREE, {"root": {"value": 1, "next": {"value": "2"}}}, [("wrong_type", "root")]),
    (objects(code={"pattern": "^[A-Z]{2}$"}), {"code": "no"}, [("invalid_schema", "code")]),
    ({"type": "object"}, [1], [("wrong_type", "")]),
]  # fmt: skip


@pytest.mark.parametrize(("schema", "arguments", "expected"), TABLE)
def test_problems_have_a_class_and_an_argument(
    schema: dict[str, Any], arguments: Any, expected: list[tuple[str, str]]
) -> None:
    assert check_tool(Tool(name="t", parameters=schema)) == []
    assert kinds(schema, arguments) == expected


def test_a_sentence_says_where_and_what() -> None:
    schema = objects(stops={"type": "array", "items": objects(city={"enum": ["Oslo", "Rome"]})})
    [problem] = problems(schema, {"stops": [{"city": "Oslo"}, {"city": "Paris"}]})
    assert problem.path == "stops[1].city"
    assert problem.sentence == 'stops[1].city must be one of ["Oslo", "Rome"], not "Paris".'


FAULTS: list[tuple[dict[str, Any], str]] = [
    ({"type": "string"}, 'Parameters must be of type "object": arguments have names.'),
    ({"type": "dict"}, 'Parameters must be of type "object"'),
    (objects(n={"type": "float"}), "properties.n.type: 'float' is not valid"),
    (objects(n={"minimum": "3"}), "properties.n.minimum: '3' is not of type 'number'."),
    (objects(n={"$ref": "#/$defs/none"}), "leads nowhere in this schema; nothing is fetched"),
    (objects(n={"$ref": "http://127.0.0.1:9/x.json"}), "nothing is fetched"),
    ({"$ref": "#"}, "The schema refers to itself without end."),
    ({"allOf": [{"$ref": "#/$defs/a"}], "$defs": {"a": {"anyOf": [{"$ref": "#"}]}}}, "without end"),
]


@pytest.mark.parametrize(("schema", "sentence"), FAULTS)
def test_a_schema_that_cannot_be_used_is_refused(schema: dict[str, Any], sentence: str) -> None:
    assert sentence in " ".join(check_tool(Tool(name="t", parameters=schema)))
    with pytest.raises(BadSchema):
        problems(schema, {"n": 1})


def test_a_property_may_be_called_like_a_word_of_the_language() -> None:
    schema = objects(**{"$ref": {"type": "string"}, "default": {"type": "integer"}, "enum": {}})
    assert check_tool(Tool(name="t", parameters=schema)) == []
    assert kinds(schema, {"$ref": "x", "default": "y"}) == [("wrong_type", "default")]


def test_data_that_looks_like_a_reference_is_data() -> None:
    schema = objects(n={"default": {"$ref": "#/nowhere"}, "enum": [{"$ref": "#/nowhere"}]})
    assert check_tool(Tool(name="t", parameters=schema)) == []


def test_a_schema_that_multiplies_itself_ends() -> None:
    parts = {f"a{i}": {"allOf": [{"$ref": f"#/$defs/a{i + 1}"}] * 2} for i in range(40)}
    schema = {**objects(n={"$ref": "#/$defs/a0"}), "$defs": {**parts, "a40": {}}}
    assert check_tool(Tool(name="t", parameters=schema)) == []
    with pytest.raises(BadSchema, match="takes too long"):
        problems(schema, {"n": 1})


def test_patterns_that_explode_elsewhere_take_no_time() -> None:
    schema = {
        "type": "object",
        "properties": {"a": {"pattern": "^(a+)+$"}},
        "patternProperties": {"^(b+)+$": {"type": "string"}},
        "additionalProperties": False,
    }
    started = time.process_time()
    found = kinds(schema, {"a": "a" * 50_000 + "!", "b" * 50_000 + "!": "x"})
    assert [kind for kind, _ in found] == ["invalid_schema", "unknown_argument"]
    assert time.process_time() - started < 2


def test_a_pattern_that_needs_look_ahead_is_not_checked() -> None:
    assert problems(objects(a={"pattern": "^(?=x)"}), {"a": "y"}) == []


def test_deep_schemas_and_deep_arguments_end_in_a_sentence() -> None:
    deep: Any = {}
    for _ in range(200):
        deep = {"items": deep}
    [fault] = check_tool(Tool(name="t", parameters=objects(a=deep)))
    assert "nested more than" in fault
    nested: Any = {}
    for _ in range(900):
        nested = {"next": nested}
    with pytest.raises(BadSchema, match="too deep"):
        problems(TREE, {"root": nested})


def test_a_reference_elsewhere_is_never_fetched() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.setblocking(False)
        address = f"http://127.0.0.1:{server.getsockname()[1]}/schema.json"
        assert check_tool(Tool(name="t", parameters=objects(a={"$ref": address})))
        with pytest.raises(BlockingIOError):
            server.accept()


def test_defaults_and_names_are_found_through_references() -> None:
    schema = {
        "type": "object",
        "allOf": [{"$ref": "#/$defs/base"}],
        "properties": {"unit": {"default": "C"}},
        "$defs": {"base": objects(limit={"default": None}, unit={"default": "K"})},
    }
    ready = Schema(schema)
    assert ready.defaults == {"unit": "C", "limit": None}
    assert sorted(ready.properties) == ["limit", "unit"]


def test_pages_import_schemas_without_what_checks_them() -> None:
    code = (
        "import sys, engine.tools.schemas, engine.tools.checks; "
        "print(*sorted({'jsonschema', 're2', 'rapidfuzz', 'dateutil', 'numpy'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""


def test_only_the_first_problems_are_told() -> None:
    schema = {"type": "object", "additionalProperties": False}
    assert len(problems(schema, {f"a{i}": 1 for i in range(100)})) == 20


def test_what_is_checked_survives_json() -> None:
    assert problems(json.loads(json.dumps(TREE)), {"root": {}}) == []


@pytest.mark.parametrize(
    ("items", "is_unique"),
    [
        ([{"k": n} for n in range(5_000)], True),  # compared in pairs, this takes half a minute
        ([1, True, "1", [1], {"a": 1}, None, " 1"], True),
        ([1, 1.0], False),
        ([{"a": [1], "b": 2}, {"b": 2, "a": [1.0]}], False),
        ([[1, [True]], [1, [1]]], True),
    ],
)
def test_items_that_stand_there_twice_are_found_at_once(items: list[Any], is_unique: bool) -> None:
    schema = objects(l={"type": "array", "uniqueItems": True})
    assert kinds(schema, {"l": items}) == ([] if is_unique else [("invalid_schema", "l")])
