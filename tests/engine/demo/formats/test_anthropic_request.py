"""Reading Anthropic requests: what is good is read in full, what is bad is refused by name."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.demo.chat import ChatRequest, Message, Refused
from engine.demo.formats.anthropic_request import read_request
from tests.engine.demo.formats.strange import VALUES

MESSAGES = [{"role": "user", "content": "Explain tides"}]
WALK = {"name": "walk", "description": "Go.", "input_schema": {"type": "object"}}


def read(**fields: Any) -> ChatRequest:
    return read_request({"model": "m", "messages": MESSAGES, "max_tokens": 9, **fields})


def test_the_smallest_request_is_read_with_its_defaults() -> None:
    said = (Message("user", "Explain tides"),)
    assert read() == ChatRequest("m", said, max_tokens=9)


def test_every_field_is_read() -> None:
    request = read(
        system=[{"type": "text", "text": "Be "}, {"type": "text", "text": "brief"}],
        stream=True,
        stop_sequences=["END"],
        temperature=1,
        tools=[WALK],
        tool_choice={"type": "tool", "name": "walk"},
        thinking={"type": "enabled", "budget_tokens": 1024},
    )
    assert request.messages[0] == Message("system", "Be brief")
    assert (request.stream, request.stop, request.temperature) == (True, ("END",), 1.0)
    (tool,) = request.tools
    assert (tool.name, tool.description, tool.source) == ("walk", "Go.", WALK)
    assert (request.tool_choice, request.usage_asked) == ("walk", True)


@pytest.mark.parametrize(
    ("choice", "meant"), [("auto", "auto"), ("any", "required"), ("none", "none")]
)
def test_a_tool_choice_is_told_in_the_demos_words(choice: str, meant: str) -> None:
    assert read(tools=[WALK], tool_choice={"type": choice}).tool_choice == meant


def test_tool_turns_become_calls_and_answers() -> None:
    use = {"type": "tool_use", "id": "toolu_1", "name": "walk", "input": {"km": 3}}
    answer = {"type": "tool_result", "tool_use_id": "toolu_1", "content": "done"}
    parts = {"type": "tool_result", "tool_use_id": "toolu_2", "content": [{"text": "far"}]}
    request = read(
        messages=[
            *MESSAGES,
            {"role": "assistant", "content": [{"type": "thinking", "thinking": "hm"}, use]},
            {"role": "user", "content": [answer, parts, {"type": "text", "text": "And now?"}]},
        ]
    )
    _, assistant, *rest = request.messages
    assert (assistant.role, assistant.text) == ("assistant", "")
    assert '"name":"walk"' in assistant.calls
    assert rest == [Message("tool", "done"), Message("tool", "far"), Message("user", "And now?")]


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"model": ""}, "model"),
        ({"max_tokens": None}, "max_tokens"),
        ({"max_tokens": 0}, "max_tokens"),
        ({"messages": []}, "messages"),
        ({"messages": [{"role": "system", "content": "x"}]}, "messages[0].role"),
        ({"messages": ["x"]}, "messages[0].role"),
        ({"messages": [{"role": "user", "content": 7}]}, "messages[0].content"),
        ({"messages": [{"role": "user", "content": [7]}]}, "messages[0].content"),
        (
            {"messages": [{"role": "user", "content": [{"type": "image"}]}]},
            "messages[0].content[0]",
        ),
        (
            {"messages": [{"role": "user", "content": [{"type": "text"}]}]},
            "messages[0].content[0]",
        ),
        ({"system": 7}, "system"),
        ({"system": [{"type": "image"}]}, "system"),
        ({"temperature": 1.1}, "temperature"),
        ({"stop_sequences": [""]}, "stop_sequences"),
        ({"stream": 1}, "stream"),
        ({"tools": [{}]}, "tools[0].name"),
        ({"tools": [{"name": "a", "input_schema": []}]}, "tools[0].input_schema"),
        ({"tool_choice": "auto"}, "tool_choice"),
        ({"tool_choice": {"type": "tool", "name": "run"}}, "tool_choice"),
        ({"tool_choice": {"type": ["auto"]}}, "tool_choice"),
    ],
)
def test_a_bad_field_is_refused_by_name(fields: dict[str, Any], param: str) -> None:
    with pytest.raises(Refused) as caught:
        read(**fields)
    assert (caught.value.status, caught.value.param) == (400, param)
    assert caught.value.message.endswith(".")


FIELDS = ["model", "messages", "system", "tools", "tool_choice", "stream", "max_tokens"]
FIELDS += ["stop_sequences", "temperature"]


@settings(max_examples=60)
@given(st.dictionaries(st.sampled_from(FIELDS), VALUES))
def test_whatever_comes_is_read_or_refused(fields: dict[str, Any]) -> None:
    with suppress(Refused):
        assert read(**fields).messages
