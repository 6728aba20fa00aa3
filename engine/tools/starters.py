"""Picked tools become a suite, with cases to start from where they are asked for."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any

from engine.tools.suites import (
    Argument,
    Case,
    ExpectCalls,
    ExpectedCall,
    ExpectNone,
    Suite,
    Tool,
)

_DEPTH_MAX = 4
_BY_FORMAT = {
    "date": "2026-03-14",
    "date-time": "2026-03-14T09:30:00Z",
    "time": "09:30:00",
    "email": "alice@example.org",
    "uri": "https://example.org/page",
    "uuid": "123e4567-e89b-42d3-a456-426614174000",
    "ipv4": "192.0.2.1",
}
# A question that no tool is needed for.
_NO_CALL = "Thank you, that is all for today. Please say goodbye in one short sentence."


def suite_of(
    tools: Iterable[Tool], name: str, *, picked: Sequence[str] | None = None, starters: bool = True
) -> Suite:
    """A suite of the tools named in `picked` (None: all), in the server's order.

    With `starters` it has a case that calls each tool with its required arguments, and one
    that needs no call. The same tools always give the same cases. Raises pydantic's
    ValidationError where two tools have one name.
    """
    chosen = tuple(tool for tool in tools if picked is None or tool.name in picked)
    cases = starter_cases(chosen) if starters and chosen else ()
    return Suite(name=name, tools=chosen, cases=cases)


def starter_cases(tools: Sequence[Tool]) -> tuple[Case, ...]:
    """A simple case for each tool, and one without a call."""
    none = Case(
        id="no-call", prompt=_NO_CALL, expect=ExpectNone(), category="none", tags=("starter",)
    )
    return (*(_simple(tool) for tool in tools), none)


def _simple(tool: Tool) -> Case:
    values = example(tool.parameters)
    told = ", ".join(f"{name} is {_shown(value)}" for name, value in values.items())
    given = f" Take these values: {told}." if told else ""
    call = ExpectedCall(
        name=tool.name,
        arguments={name: Argument(values=(value,)) for name, value in values.items()},
        ignore_others=True,
    )
    return Case(
        id=f"call-{tool.name}"[:200],
        prompt=f"Call the tool {tool.name}, once.{given}",
        expect=ExpectCalls(alternatives=((call,),)),
        category="simple",
        tags=("starter",),
    )


def _shown(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def example(schema: dict[str, Any]) -> dict[str, Any]:
    """Values for the required properties of an object's schema."""
    return _object(schema, schema, 0)


def _object(schema: dict[str, Any], root: dict[str, Any], depth: int) -> dict[str, Any]:
    required = schema.get("required")
    parts = schema.get("properties")
    if not isinstance(required, list) or not isinstance(parts, dict) or depth > _DEPTH_MAX:
        return {}
    return {
        name: _value(name, part if isinstance(part, dict) else {}, root, depth)
        for name, part in parts.items()
        if name in required
    }


def _value(name: str, schema: dict[str, Any], root: dict[str, Any], depth: int) -> Any:
    schema = _resolved(schema, root)
    if "const" in schema:
        return schema["const"]
    for known in ("enum", "examples"):
        listed = schema.get(known)
        if isinstance(listed, list) and listed:
            return listed[0]
    if schema.get("default") is not None:
        return schema["default"]
    kind = _kind(schema)
    if kind == "object":
        return _object(schema, root, depth + 1)
    if kind == "array":
        items = schema.get("items")
        part = items if isinstance(items, dict) else {}
        count = max(1, _bound(schema, "minItems", 1)) if depth < _DEPTH_MAX else 0
        return [_value(name, part, root, depth + 1) for _ in range(min(int(count), 5))]
    return _scalar(name, kind, schema)


def _scalar(name: str, kind: str, schema: dict[str, Any]) -> Any:
    if kind in ("integer", "number"):
        number = max(min(3, _bound(schema, "maximum", 3)), _bound(schema, "minimum", -1e9))
        return int(number) if kind == "integer" else float(number)
    if kind == "boolean":
        return True
    if kind == "null":
        return None
    return _BY_FORMAT.get(str(schema.get("format")), f"sample {name.replace('_', ' ')}")


def _bound(schema: dict[str, Any], key: str, spare: float) -> float:
    value = schema.get(key)
    return value if isinstance(value, int | float) and not isinstance(value, bool) else spare


def _resolved(schema: dict[str, Any], root: dict[str, Any]) -> dict[str, Any]:
    """What a local reference or a union's first member says."""
    for _ in range(_DEPTH_MAX):
        ref = schema.get("$ref")
        if isinstance(ref, str) and ref.startswith("#/"):
            found: Any = root
            for part in ref[2:].split("/"):
                found = found.get(part) if isinstance(found, dict) else None
            schema = found if isinstance(found, dict) else {}
            continue
        options = schema.get("anyOf", schema.get("oneOf"))
        if not isinstance(options, list) or not options:
            break
        first = next((o for o in options if isinstance(o, dict) and o.get("type") != "null"), {})
        schema = first
    return schema


def _kind(schema: dict[str, Any]) -> str:
    kinds = schema.get("type")
    if isinstance(kinds, list):
        kinds = next((kind for kind in kinds if kind != "null"), "null")
    if not isinstance(kinds, str):
        return "object" if "properties" in schema else "string"
    return kinds
