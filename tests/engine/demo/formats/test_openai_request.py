"""Reading OpenAI requests: what is good is read in full, what is bad is refused by name."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.demo.chat import ChatRequest, Message, Refused
from engine.demo.formats.openai_request import read_request
from tests.engine.demo.formats.strange import VALUES

MESSAGES = [{"role": "user", "content": "Explain tides"}]
WALK = {"type": "function", "function": {"name": "walk", "parameters": {"type": "object"}}}


def read(**fields: Any) -> ChatRequest:
    return read_request({"model": "fast-small", "messages": MESSAGES, **fields})


def test_the_smallest_request_is_read_with_its_defaults() -> None:
    assert read() == ChatRequest("fast-small", (Message("user", "Explain tides"),))


def test_every_field_is_read() -> None:
    request = read(
        stream=True,
        stream_options={"include_usage": True},
        max_completion_tokens=7,
        max_tokens=9,
        min_tokens=3,
        ignore_eos=True,
        stop=["\n", "END"],
        temperature=0,
        seed=-5,
        tools=[WALK],
        tool_choice={"type": "function", "function": {"name": "walk"}},
    )
    assert (request.max_tokens, request.min_tokens, request.ignore_eos) == (7, 3, True)
    assert (request.stop, request.temperature, request.seed) == (("\n", "END"), 0.0, -5)
    assert (request.tools[0].name, request.tools[0].source) == ("walk", WALK)
    assert (request.tool_choice, request.stream, request.usage_asked) == ("walk", True, True)


def test_a_stream_gets_counts_only_if_it_asks_and_a_whole_answer_always() -> None:
    assert read().usage_asked
    assert not read(stream=True).usage_asked
    assert not read(stream=True, stream_options={"include_usage": False}).usage_asked


def test_text_parts_are_joined_and_other_turns_are_kept() -> None:
    call = {"id": "call_1", "type": "function", "function": {"name": "walk", "arguments": "{}"}}
    request = read(
        messages=[
            {"role": "developer", "content": [{"type": "text", "text": "Be "}, {"text": "brief"}]},
            {"role": "assistant", "content": None, "tool_calls": [call]},
            {"role": "tool", "tool_call_id": "call_1", "content": "done"},
        ]
    )
    system, assistant, tool = request.messages
    assert system == Message("system", "Be brief")
    assert '"name":"walk"' in assistant.calls
    assert tool == Message("tool", "done")


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"model": None}, "model"),
        ({"model": ""}, "model"),
        ({"model": 4}, "model"),
        ({"messages": None}, "messages"),
        ({"messages": []}, "messages"),
        ({"messages": "Hello"}, "messages"),
        ({"messages": ["Hello"]}, "messages[0].role"),
        ({"messages": [*MESSAGES, {"role": "robot", "content": "x"}]}, "messages[1].role"),
        ({"messages": [{"role": ["user"], "content": "x"}]}, "messages[0].role"),
        ({"messages": [{"role": "user"}]}, "messages[0].content"),
        ({"messages": [{"role": "user", "content": 7}]}, "messages[0].content"),
        (
            {"messages": [{"role": "user", "content": [{"type": "image_url"}]}]},
            "messages[0].content",
        ),
        ({"max_tokens": 0}, "max_tokens"),
        ({"max_tokens": -1}, "max_tokens"),
        ({"max_tokens": 1.5}, "max_tokens"),
        ({"max_tokens": "many"}, "max_tokens"),
        ({"max_tokens": True}, "max_tokens"),
        ({"max_completion_tokens": 0}, "max_completion_tokens"),
        ({"min_tokens": -1}, "min_tokens"),
        ({"temperature": 2.1}, "temperature"),
        ({"temperature": -0.1}, "temperature"),
        ({"temperature": float("nan")}, "temperature"),
        ({"temperature": "hot"}, "temperature"),
        ({"temperature": True}, "temperature"),
        ({"n": 2}, "n"),
        ({"seed": "x"}, "seed"),
        ({"stream": "yes"}, "stream"),
        ({"ignore_eos": 1}, "ignore_eos"),
        ({"stop": ""}, "stop"),
        ({"stop": ["a", 1]}, "stop"),
        ({"stop": ["a"] * 17}, "stop"),
        ({"stop": {"a": 1}}, "stop"),
        ({"tools": {}}, "tools"),
        ({"tools": [WALK] * 129}, "tools"),
        ({"tools": [{}]}, "tools[0].function.name"),
        ({"tools": [WALK, {"function": {"name": ""}}]}, "tools[1].function.name"),
        (
            {"tools": [{"function": {"name": "a", "parameters": []}}]},
            "tools[0].function.parameters",
        ),
        ({"tool_choice": "walk"}, "tool_choice"),
        ({"tools": [WALK], "tool_choice": {"function": {"name": "run"}}}, "tool_choice"),
        ({"tool_choice": {"function": {"name": ["walk"]}}}, "tool_choice"),
    ],
)
def test_a_bad_field_is_refused_by_name(fields: dict[str, Any], param: str) -> None:
    with pytest.raises(Refused) as caught:
        read(**fields)
    assert (caught.value.status, caught.value.param) == (400, param)
    assert caught.value.message.endswith(".")


FIELDS = ["model", "messages", "tools", "tool_choice", "stream", "stream_options", "max_tokens"]
FIELDS += ["stop", "temperature", "n", "seed"]


@settings(max_examples=60)
@given(st.dictionaries(st.sampled_from(FIELDS), VALUES))
def test_whatever_comes_is_read_or_refused(fields: dict[str, Any]) -> None:
    with suppress(Refused):
        assert read(**fields).messages
