"""Reading Gemini requests: what is good is read in full, what is bad is refused by name."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.demo.chat import ChatRequest, Message, Refused
from engine.demo.formats.gemini_request import read_request
from tests.engine.demo.formats.strange import VALUES

WHOLE = "/v1beta/models/m:generateContent"
CONTENTS = [{"role": "user", "parts": [{"text": "Explain "}, {"text": "tides"}]}]
WALK = {"name": "walk", "description": "Go.", "parameters": {"type": "object"}}
SAID = Message("user", "Explain tides")


def read(target: str = WHOLE, **fields: Any) -> ChatRequest:
    return read_request(target, {"contents": CONTENTS, **fields})


def test_the_smallest_request_is_read_with_its_defaults() -> None:
    assert read() == ChatRequest("m", (SAID,))


@pytest.mark.parametrize(
    ("target", "model", "stream"),
    [
        ("/v1beta/models/a:generateContent?key=k", "a", False),
        ("/v1beta/models/a+cut:streamGenerateContent?alt=sse", "a+cut", True),
        ("/v1/models/a%2Bcut:streamGenerateContent?key=k&alt=sse", "a+cut", True),
    ],
)
def test_the_address_names_model_and_method(target: str, model: str, stream: bool) -> None:
    request = read(target)
    assert (request.model, request.stream) == (model, stream)


def test_a_stream_of_anything_but_events_is_refused() -> None:
    with pytest.raises(Refused, match="alt=sse"):
        read("/v1beta/models/m:streamGenerateContent")


@pytest.mark.parametrize("snake", [False, True])
def test_every_field_is_read_in_either_case(snake: bool) -> None:
    def named(camel: str, snaked: str) -> str:
        return snaked if snake else camel

    config = {
        named("maxOutputTokens", "max_output_tokens"): 7,
        named("stopSequences", "stop_sequences"): ["END"],
        "temperature": 2,
        "seed": 5,
    }
    calling = {"mode": "ANY", named("allowedFunctionNames", "allowed_function_names"): ["walk"]}
    fields: dict[str, Any] = {
        named("systemInstruction", "system_instruction"): {"parts": [{"text": "Be brief"}]},
        named("generationConfig", "generation_config"): config,
        "tools": [{named("functionDeclarations", "function_declarations"): [WALK]}],
        named("toolConfig", "tool_config"): {
            named("functionCallingConfig", "function_calling_config"): calling
        },
    }
    request = read(**fields)
    assert request.messages == (Message("system", "Be brief"), SAID)
    assert (request.max_tokens, request.stop) == (7, ("END",))
    assert (request.temperature, request.seed) == (2.0, 5)
    (tool,) = request.tools
    assert (tool.name, tool.parameters, tool.source) == ("walk", {"type": "object"}, WALK)
    assert request.tool_choice == "walk"


def test_function_turns_become_calls_and_answers() -> None:
    call = {"functionCall": {"name": "walk", "args": {"km": 3}}}
    response = {"functionResponse": {"name": "walk", "response": {"result": "done"}}}
    request = read(
        contents=[
            *CONTENTS,
            {"role": "model", "parts": [{"text": "hm", "thought": True}, call]},
            {"role": "user", "parts": [response]},
        ]
    )
    _, model, answer = request.messages
    assert (model.role, model.text) == ("assistant", "")
    assert '"name":"walk"' in model.calls
    assert answer == Message("tool", '{"result":"done"}')


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"contents": []}, "contents"),
        ({"contents": ["x"]}, "contents[0].role"),
        ({"contents": [{"role": "robot", "parts": []}]}, "contents[0].role"),
        ({"contents": [{"role": "user"}]}, "contents[0].parts"),
        ({"contents": [{"parts": [{"inlineData": {}}]}]}, "contents[0].parts[0]"),
        ({"systemInstruction": "Be brief"}, "systemInstruction"),
        ({"generationConfig": {"maxOutputTokens": 0}}, "maxOutputTokens"),
        ({"generationConfig": {"temperature": 2.5}}, "temperature"),
        ({"generationConfig": {"candidateCount": 2}}, "candidateCount"),
        ({"generationConfig": []}, "generationConfig"),
        ({"tools": ["x"]}, "tools[0]"),
        ({"tools": [{"functionDeclarations": [{}]}]}, "tools[0].functionDeclarations[0].name"),
        ({"toolConfig": {"functionCallingConfig": {"mode": "SOME"}}}, "toolConfig"),
        (
            {"toolConfig": {"functionCallingConfig": {"mode": "ANY", "allowedFunctionNames": [1]}}},
            "toolConfig",
        ),
    ],
)
def test_a_bad_field_is_refused_by_name(fields: dict[str, Any], param: str) -> None:
    with pytest.raises(Refused) as caught:
        read(**fields)
    assert (caught.value.status, caught.value.param) == (400, param)
    assert caught.value.message.endswith(".")


FIELDS = ["contents", "system_instruction", "tools", "toolConfig", "generationConfig"]


@settings(max_examples=60)
@given(st.dictionaries(st.sampled_from(FIELDS), VALUES))
def test_whatever_comes_is_read_or_refused(fields: dict[str, Any]) -> None:
    with suppress(Refused):
        assert read(**fields).messages
