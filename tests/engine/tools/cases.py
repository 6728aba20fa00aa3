"""Small suites and answers, written short."""

from __future__ import annotations

from typing import Any

from engine.tools.answers import Answer, Call
from engine.tools.suites import Case, Suite

STRING: dict[str, Any] = {"type": "string"}
TOOLS: list[dict[str, Any]] = [
    {
        "name": "get_weather",
        "parameters": {
            "type": "object",
            "properties": {
                "city": STRING,
                "unit": {"type": "string", "enum": ["C", "F"], "default": "C"},
                "days": {"type": "integer"},
            },
            "required": ["city"],
        },
    },
    {"name": "get_time", "parameters": {"type": "object", "properties": {"city": STRING}}},
    {"name": "ping"},
]


def due(name: str, **arguments: Any) -> dict[str, Any]:
    """An expected call; a bare value is the only one allowed, a dict is an Argument."""
    items = {
        key: value if isinstance(value, dict) else {"values": [value]}
        for key, value in arguments.items()
    }
    return {"name": name, "arguments": items}


def calls(*expected: dict[str, Any], order: str = "any") -> dict[str, Any]:
    return {"kind": "calls", "alternatives": [list(expected)], "order": order}


def suite_of(expect: dict[str, Any], **fields: Any) -> tuple[Case, Suite]:
    """A case with this expectation, and the suite it stands in."""
    case = {"id": "a", "prompt": "What is it like in Oslo?", "expect": expect}
    case |= fields.pop("case", {})
    suite = Suite.model_validate({"name": "S", "tools": TOOLS, "cases": [case], **fields})
    return suite.cases[0], suite


def made(name: str, /, **arguments: Any) -> Call:
    return Call(name, arguments)


def answer(*made_calls: Call, **fields: Any) -> Answer:
    return Answer(calls=made_calls, **fields)
