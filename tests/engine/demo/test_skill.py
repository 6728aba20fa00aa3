"""Tool skill: the due call is the one a reader expects, and mistakes are as rare as said."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.demo.catalog import catalog
from engine.demo.chat import ChatRequest, Message, Tool
from engine.demo.skill import MISTAKES, Attempt, attempt, intended
from engine.demo.tokens import compact

MODEL = replace(catalog().models["fast-small"], skill=0.75)


def tool(name: str, description: str, required: list[str] | None = None, **parts: Any) -> Tool:
    schema = {
        "type": "object",
        "properties": parts,
        "required": list(parts) if required is None else required,
    }
    return Tool(name, description, schema, {"function": {"name": name}})


WEATHER = tool(
    "get_weather",
    "The weather forecast for a city.",
    city={"type": "string"},
    days={"type": "integer"},
    units={"type": "string", "enum": ["celsius", "fahrenheit"]},
)
MAIL = tool(
    "send_email",
    "Send a message to somebody.",
    ["to", "subject"],
    to={"type": "string", "format": "email"},
    subject={"type": "string"},
    urgent={"type": "boolean"},
)
AVERAGE = tool(
    "average",
    "The mean of several numbers.",
    numbers={"type": "array", "items": {"type": "number"}},
)
TOOLS = (WEATHER, MAIL, AVERAGE)
FORECAST = "What will the weather be in New York for the next 3 days, in fahrenheit?"


def asked(prompt: str, tools: tuple[Tool, ...] = TOOLS, **more: Any) -> ChatRequest:
    return ChatRequest("m", (Message("user", prompt),), tools=tools, **more)


@pytest.mark.parametrize(
    ("prompt", "call"),
    [
        (FORECAST, ("get_weather", {"city": "New York", "days": 3, "units": "fahrenheit"})),
        (
            'Send an email to bob@example.org with the subject "Low tide".',
            ("send_email", {"to": "bob@example.org", "subject": "Low tide"}),
        ),
        ("The average of the numbers 4, 8.5 and -2?", ("average", {"numbers": [4, 8.5, -2]})),
    ],
)
def test_the_due_call_takes_its_arguments_from_the_prompt(
    prompt: str, call: tuple[str, dict[str, Any]]
) -> None:
    assert intended(asked(prompt)) == Attempt(*call)


def test_a_prompt_that_fits_no_tool_is_answered_in_words() -> None:
    assert intended(asked("Tell me a story about a lighthouse.")).tool is None


def test_no_tool_is_called_where_none_is_allowed_or_offered() -> None:
    assert intended(asked(FORECAST, tool_choice="none")).tool is None
    assert intended(asked(FORECAST, tools=())).tool is None


def test_a_required_or_named_tool_is_called_whatever_was_asked() -> None:
    story = "Tell me a story about a lighthouse."
    assert intended(asked(story, tool_choice="required")).tool is not None
    assert intended(asked(FORECAST, tool_choice="send_email")).tool == "send_email"


def test_after_a_tool_has_answered_the_model_speaks() -> None:
    request = asked(FORECAST)
    told = replace(request, messages=(*request.messages, Message("tool", "Sunny")))
    assert intended(told).tool is None


def test_the_share_of_right_calls_is_the_models_skill() -> None:
    tries = [attempt(MODEL, asked(FORECAST), Random(seed)) for seed in range(2_000)]
    right = intended(asked(FORECAST))
    assert sum(made == right for made in tries) / len(tries) == pytest.approx(0.75, abs=0.03)
    assert {made.mistake for made in tries if made != right} == set(MISTAKES)
    assert all((made.mistake is None) == (made == right) for made in tries)


def spoilt(request: ChatRequest, mistake: str) -> Attempt:
    hopeless = replace(MODEL, skill=0.0)
    tries = (attempt(hopeless, request, Random(seed)) for seed in range(500))
    return next(made for made in tries if made.mistake == mistake)


def test_each_mistake_is_what_it_is_called() -> None:
    request = asked(FORECAST)
    right = intended(request)
    names = set(right.arguments)
    assert spoilt(request, "no_call").tool is None
    assert spoilt(request, "wrong_tool").tool in {"send_email", "average"}
    assert set(spoilt(request, "missing_argument").arguments) < names
    assert set(spoilt(request, "unknown_argument").arguments) > names
    for mistake, same_type in (("wrong_value", True), ("wrong_type", False)):
        made = spoilt(request, mistake).arguments
        changed = [name for name in names if made[name] != right.arguments[name]]
        assert len(changed) == 1
        assert (type(made[changed[0]]) is type(right.arguments[changed[0]])) is same_type


def test_a_call_that_is_forced_is_never_left_out() -> None:
    hopeless = replace(MODEL, skill=0.0)
    request = asked(FORECAST, tool_choice="get_weather")
    made = Counter(attempt(hopeless, request, Random(seed)).mistake for seed in range(500))
    assert set(made) == set(MISTAKES) - {"no_call", "wrong_tool"}


JSON = st.recursive(
    st.none() | st.booleans() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda part: (
        st.lists(part, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["type", "properties", "required", "enum", "items", "a", "b", "minimum"]
            ),
            part,
            max_size=4,
        )
    ),
    max_leaves=20,
)


@settings(max_examples=50)
@given(st.dictionaries(st.sampled_from(["type", "properties", "required"]), JSON), st.text())
def test_a_schema_of_any_shape_does_no_harm(schema: dict[str, Any], prompt: str) -> None:
    odd = Tool("odd", "", schema, {})
    made = attempt(MODEL, asked(prompt, (odd, WEATHER), tool_choice="odd"), Random(1))
    assert made.tool == "odd"
    compact(made.arguments)


def test_a_schema_nested_without_end_is_not_followed() -> None:
    schema: dict[str, Any] = {"type": "object", "required": ["a"], "properties": {}}
    for _ in range(200):
        schema = {"type": "object", "required": ["a"], "properties": {"a": schema}}
    made = intended(asked("x", (Tool("deep", "", schema, {}),), tool_choice="deep"))
    assert compact(made.arguments).count("{") < 10
