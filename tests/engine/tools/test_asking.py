"""Requests of an evaluation, as far as the bytes that would be sent."""

from __future__ import annotations

import json
from typing import Any

import pytest
from pydantic import ValidationError

from engine.llm.prepare import prepare
from engine.tools.asking import Voice, carries_choice
from tests.engine.tools.builders import DOTTED, WEATHER, calls, case, spec, suite, target, voice

ONE = suite(
    case(expect=calls(("math.hypot", {}))), tools=[WEATHER, DOTTED], system_prompt="Be brief."
)
ASKED = ONE.cases[0]


def body(asking: Voice, *, first: bool = True) -> dict[str, Any]:
    """What the endpoint would read."""
    request = asking.request(ASKED, asking.opening(ASKED), first=first)
    data: dict[str, Any] = json.loads(prepare(asking.target, request).body)
    return data


def test_a_request_holds_system_prompt_tools_and_the_specs_limits() -> None:
    sent = body(voice(ONE, target(system_prompt="You are terse."), max_tokens=99, temperature=0.0))

    assert sent["messages"] == [
        {"role": "system", "content": "You are terse.\n\nBe brief."},
        {"role": "user", "content": "Rain in Oslo?"},
    ]
    assert [tool["function"]["name"] for tool in sent["tools"]] == ["get_weather", "math_hypot"]
    assert (sent["max_tokens"], sent["temperature"], sent["stream"]) == (99, 0.0, True)
    assert "tool_choice" not in sent


def test_a_cases_own_system_message_joins_the_suites() -> None:
    messages = [
        {"role": "system", "content": "Today is Monday."},
        {"role": "user", "content": "Rain?"},
    ]
    made = suite(case(messages=messages), system_prompt="Be brief.")
    [system, user] = voice(made).opening(made.cases[0])
    assert system == {"role": "system", "content": "Be brief.\n\nToday is Monday."}
    assert user == messages[1]


def test_calls_of_an_earlier_conversation_carry_the_names_that_are_sent() -> None:
    call = {"id": "1", "type": "function", "function": {"name": "math.hypot", "arguments": "{}"}}
    messages = [
        {"role": "user", "content": "3, 4?"},
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "1", "content": "5"},
    ]
    made = suite(case(messages=messages), tools=[DOTTED])
    opening = voice(made).opening(made.cases[0])
    assert opening[1]["tool_calls"][0]["function"] == {"name": "math_hypot", "arguments": "{}"}
    assert call["function"]["name"] == "math.hypot"  # type: ignore[index]


@pytest.mark.parametrize(
    ("wanted", "sent"),
    [
        ("auto", None),
        ("required", "required"),
        ("none", "none"),
        ("named", {"type": "function", "function": {"name": "math_hypot"}}),
    ],
)
def test_the_choice_is_sent_as_the_spec_says(wanted: str, sent: Any) -> None:
    assert body(voice(ONE, tool_choice=wanted)).get("tool_choice") == sent


def test_named_leaves_the_choice_free_where_a_case_names_no_tool() -> None:
    made = suite(case(), case("b", calls(("no_such_tool", {}))))
    free = voice(made, tool_choice="named")
    assert [free.choice(each) for each in made.cases] == [None, None]


def test_only_the_first_answer_to_a_message_is_forced() -> None:
    assert "tool_choice" not in body(voice(ONE, tool_choice="required"), first=False)
    assert body(voice(ONE, tool_choice="none"), first=False)["tool_choice"] == "none"


def test_a_case_without_tools_is_asked_without_a_choice() -> None:
    bare = suite(case(tools=[]))
    asking = voice(bare, tool_choice="required")
    assert asking.request(bare.cases[0], ()).extra == {}


@pytest.mark.parametrize(
    ("model", "carries"),
    [
        ("anthropic/claude-haiku-4-5", True),
        ("gemini/gemini-2.5-flash", True),
        ("mistral/mistral-small-latest", True),
        ("ollama/llama3", False),
        ("cohere_chat/command-r", False),
    ],
)
def test_who_cannot_be_forced_is_found_by_the_request_itself(model: str, carries: bool) -> None:
    asked = target(litellm_model=model, api_base=None, api_key="sk-test-key")
    asking = voice(ONE, asked, tool_choice="required")
    request = asking.request(ASKED, asking.opening(ASKED))
    assert carries_choice(prepare(asking.target, request)) is carries


def test_ollama_is_asked_where_it_knows_tools() -> None:
    asking = voice(ONE, target(litellm_model="ollama/llama3", api_base=None))
    prepared = prepare(asking.target, asking.request(ASKED, asking.opening(ASKED)))
    assert prepared.url.endswith("/api/chat")
    assert len(json.loads(prepared.body)["tools"]) == 2


def test_parameters_go_where_they_can_do_no_harm() -> None:
    params = {"top_p": 0.9, "seed": 3, "mirostat": 2, "extra_body": {"chat_template": "x"}}
    asking = voice(ONE, params=params)

    extra = asking.request(ASKED, ()).extra
    assert (extra["top_p"], extra["seed"]) == (0.9, 3)
    assert extra["extra_body"] == {"mirostat": 2, "chat_template": "x"}
    sent = body(asking)
    assert (sent["mirostat"], sent["chat_template"], sent["top_p"]) == (2, "x", 0.9)


def test_a_foreign_parameter_cannot_lead_a_key_elsewhere() -> None:
    asked = target(litellm_model="anthropic/claude-haiku-4-5", api_base=None, api_key="sk-test-key")
    params = {"custom_llm_provider": "openai", "base_model": "x", "extra_headers": {"x-a": "b"}}
    asking = voice(ONE, asked, params=params)

    prepared = prepare(asking.target, asking.request(ASKED, asking.opening(ASKED)))

    assert prepared.url == "https://api.anthropic.com/v1/messages"
    assert "x-a" not in dict(prepared.headers)


@pytest.mark.parametrize("name", ["api_base", "base_url", "api_key", "model", "tools", "stream"])
def test_what_the_evaluation_sets_is_refused_as_a_parameter(name: str) -> None:
    with pytest.raises(ValidationError, match=name):
        spec(params={name: "x"})
    with pytest.raises(ValidationError, match=name):
        spec(params={"extra_body": {name: "x"}})


def test_the_record_of_a_request_holds_no_secret_and_what_was_skipped_is_left_out() -> None:
    asked = target(api_key="sk-very-secret", skip_params=frozenset({"temperature"}))
    record = voice(ONE, asked, tool_choice="required", params={"seed": 1}).parameters(ASKED)
    assert record == {
        "model": "openai/m",
        "max_tokens": 1_024,
        "tool_choice": "required",
        "seed": 1,
    }


def test_a_model_that_answers_in_fewer_tokens_is_asked_for_no_more() -> None:
    assert body(voice(ONE, target(max_output_tokens=64)))["max_tokens"] == 64
    asking = voice(ONE, params={"max_completion_tokens": 5})
    assert asking.request(ASKED, ()).max_tokens is None
