"""Calls in plain text: found in every usual dress, and not where there is none."""

from __future__ import annotations

import json
from typing import Any

import pytest

from engine.tools.answers import Call
from engine.tools.offer import Offer
from engine.tools.reading import read_answer
from engine.tools.recovery import recover
from tests.engine.tools.builders import DOTTED, WEATHER, case, decoded, suite, voice

NAMES = {"get_weather", "math.hypot"}
OSLO = json.dumps({"name": "get_weather", "arguments": {"city": "Oslo"}})


@pytest.mark.parametrize(
    "text",
    [
        OSLO,
        f"```json\n{OSLO}\n```",
        f"```json\n{OSLO}",
        f"I will look.\n\n```\n[{OSLO}]\n```\nWait.",
        f"Let me see: {OSLO} and then answer.",
        f"<tool_call>\n{OSLO}\n</tool_call>",
        f"<tool_call>```json\n{OSLO}\n```</tool_call>",
        f"<|tool_call|>{OSLO}<|/tool_call|>",
        f"[TOOL_CALLS] [{OSLO}]",
        '<|python_tag|>get_weather(city="Oslo")<|eom_id|>',
        '<function=get_weather>{"city": "Oslo"}</function>',
        "<tool_call><function=get_weather>\n<parameter=city>\nOslo\n</parameter></function></tool_call>",
        '{"function": {"name": "get_weather", "arguments": "{\\"city\\": \\"Oslo\\"}"}}',
        '{"tool_calls": [{"function": {"name": "get_weather", "arguments": {"city": "Oslo"}}}]}',
        '{"tool": "get_weather", "parameters": {"city": "Oslo"}}',
        '[get_weather(city="Oslo")]',
        'get_weather(city="Oslo")',
        'Calling [get_weather(city="Oslo")] now.',
    ],
)
def test_a_call_is_found_in_every_dress(text: str) -> None:
    found = recover(text, NAMES)

    assert found is not None
    assert [(call.name, call.arguments) for call in found] == [("get_weather", {"city": "Oslo"})]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "It rains in Oslo.",
        '{"name": "Bob", "arguments": {"city": "Oslo"}}',
        '{"name": "get_weather"}',
        "Compare [see(page=3)] with get_weather.",
        '```python\nprint("Oslo")\n```',
        "{" * 100_000,
        '{"a":' * 50_000,
    ],
)
def test_an_answer_that_is_no_call_stays_one(text: str) -> None:
    assert recover(text, NAMES) == ()


@pytest.mark.parametrize(
    "text", ["<tool_call>{broken", "<tool_call>Oslo</tool_call>", "[TOOL_CALLS] x"]
)
def test_a_tag_with_nothing_readable_in_it_is_an_unreadable_call(text: str) -> None:
    assert recover(text, NAMES) is None


@pytest.mark.parametrize(
    ("text", "arguments"),
    [
        ('<tool_call>{"name": "f", "arguments": "{city"}</tool_call>', None),
        (
            "<function=f><parameter=n>3</parameter><parameter=s>a, b</parameter></function>",
            {"n": 3, "s": "a, b"},
        ),
    ],
)
def test_arguments_are_read_as_far_as_they_can_be(text: str, arguments: Any) -> None:
    [call] = recover(text, NAMES) or ()
    assert call.arguments == arguments


def test_several_calls_keep_their_order() -> None:
    text = f"<tool_call>{OSLO}</tool_call>\n<tool_call>{OSLO.replace('Oslo', 'Rome')}</tool_call>"
    cities = [call.arguments for call in recover(text, NAMES) or ()]
    assert cities == [{"city": "Oslo"}, {"city": "Rome"}]


@pytest.fixture
def offer() -> Offer:
    made = suite(case(), tools=[WEATHER, DOTTED])
    return voice(made).offer(made.cases[0])


def test_an_answer_with_real_calls_is_taken_at_its_word(offer: Offer) -> None:
    answer = read_answer(decoded(OSLO, ("math_hypot", "{}"), ("get_weather", "{oops")), offer)

    assert not answer.recovered
    assert answer.calls == (
        Call("math.hypot", {}, "{}", "c0"),
        Call("get_weather", None, "{oops", "c1"),
    )


def test_what_was_recovered_says_so_and_has_the_suites_names(offer: Offer) -> None:
    answer = read_answer(decoded("[math_hypot(x=3)]"), offer)

    assert answer.recovered
    assert [(c.name, c.arguments) for c in answer.calls or ()] == [("math.hypot", {"x": 3})]


def test_an_unreadable_call_is_no_abstention(offer: Offer) -> None:
    assert read_answer(decoded("<tool_call>?"), offer).calls is None
    assert read_answer(decoded("It rains."), offer).calls == ()


def test_without_tools_nothing_is_a_call() -> None:
    made = suite(case(tools=[]))
    answer = read_answer(decoded(f"<tool_call>{OSLO}"), voice(made).offer(made.cases[0]))
    assert (answer.calls, answer.recovered) == ((), False)
