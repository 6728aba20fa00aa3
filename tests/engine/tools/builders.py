"""Suites, and targets that ask for nothing, in few words."""

from __future__ import annotations

from typing import Any

from engine.llm.answer import Decoded
from engine.specs import TargetRef, ToolEvalSpec
from engine.targets import Target
from engine.tools.answers import Answer, Call
from engine.tools.asking import Voice
from engine.tools.suites import Case, Suite

CITY = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
WEATHER = {"name": "get_weather", "description": "The weather of a city.", "parameters": CITY}
BOOK = {
    "name": "book_hotel",
    "parameters": {"type": "object", "properties": {"id": {"type": "string"}}, "required": ["id"]},
}
DOTTED = {"name": "math.hypot", "parameters": {"type": "object"}}
# Of these one has an enum and a default, one has nothing that is required, one takes nothing.
TOOLS: list[dict[str, Any]] = [
    {
        "name": "get_weather",
        "parameters": {
            "type": "object",
            "properties": {
                "city": {"type": "string"},
                "unit": {"type": "string", "enum": ["C", "F"], "default": "C"},
                "days": {"type": "integer"},
            },
            "required": ["city"],
        },
    },
    {
        "name": "get_time",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}},
    },
    {"name": "ping"},
]


def suite(*cases: dict[str, Any], tools: Any = (WEATHER, BOOK), **more: Any) -> Suite:
    return Suite.model_validate({"name": "A suite", "tools": tools, "cases": cases, **more})


def case(name: str = "a", expect: Any = None, **more: Any) -> dict[str, Any]:
    """A case that asks something; it expects any call unless told otherwise."""
    asks = {} if "messages" in more else {"prompt": "Rain in Oslo?"}
    return {"id": name, "expect": expect or {"kind": "any"}, **asks, **more}


def due(name: str, **arguments: Any) -> dict[str, Any]:
    """An expected call; a bare value is the only one allowed, a dict is an Argument."""
    items = {
        key: value if isinstance(value, dict) else {"values": [value]}
        for key, value in arguments.items()
    }
    return {"name": name, "arguments": items}


def calls(
    *expected: dict[str, Any] | tuple[str, dict[str, Any]], order: str = "any"
) -> dict[str, Any]:
    """An expectation: the calls as `due` makes them, or as (name, arguments with their one
    right value)."""
    listed = [
        item
        if isinstance(item, dict)
        else due(item[0], **{key: {"values": [value]} for key, value in item[1].items()})
        for item in expected
    ]
    return {"kind": "calls", "alternatives": [listed], "order": order}


def suite_of(expect: dict[str, Any], **fields: Any) -> tuple[Case, Suite]:
    """A case with this expectation, and the suite it stands in."""
    asks = case("a", expect, **fields.pop("case", {}))
    made = suite(asks, **{"tools": TOOLS, **fields})
    return made.cases[0], made


def target(model: str = "m", provider: str = "lab", **more: Any) -> Target:
    values = {"litellm_model": f"openai/{model}", "api_base": "http://127.0.0.1:9/v1", **more}
    return Target(provider, model, **values)


def spec(*targets: Target, **more: Any) -> ToolEvalSpec:
    refs = tuple(item.ref for item in targets) or (TargetRef(provider="lab", model="m"),)
    return ToolEvalSpec(targets=refs, **more)


def voice(of: Suite, asked: Target | None = None, **more: Any) -> Voice:
    asked = asked or target()
    return Voice.of(spec(asked, **more), of, asked)


def called(name: str, /, call_id: str = "", **arguments: Any) -> Call:
    return Call(name, arguments, "", call_id)


def answered(*made: Call, **fields: Any) -> Answer:
    return Answer(made, **fields)


def decoded(text: str = "", *tool_calls: tuple[str, str]) -> Decoded:
    """A decoded answer whose calls are (name, arguments as text)."""
    made = [{"id": f"c{i}", "name": n, "arguments": a} for i, (n, a) in enumerate(tool_calls)]
    return Decoded(text=text, tool_calls=made, finished=True)
