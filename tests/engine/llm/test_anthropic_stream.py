"""Anthropic's events, as LiteLLM reads them and beyond."""

from __future__ import annotations

from typing import Any

import pytest

from engine.llm.answer import Decoded, Usage
from engine.llm.anthropic_stream import usage_of
from engine.llm.decode import decode
from tests.engine.llm.agreement import both, counted, same_answer
from tests.engine.llm.formats import ANTHROPIC, PING, anthropic, begin, block, end, one_read_each
from tests.engine.llm.streams import capture_of

MODEL = "anthropic/claude-sonnet-4-5"


def read(*events: dict[str, Any], **more: Any) -> Decoded:
    return decode(one_read_each(anthropic(*events), **more), MODEL, ())


@pytest.mark.parametrize("name", ANTHROPIC)
def test_it_agrees_with_litellm_on_the_same_bytes(name: str) -> None:
    ours, theirs = both(one_read_each(ANTHROPIC[name]), MODEL)
    same_answer(ours, theirs)
    assert counted(ours.usage) == counted(theirs.usage)


@pytest.mark.parametrize(
    ("reason", "finish"),
    [
        ("end_turn", "stop"),
        ("stop_sequence", "stop"),
        ("max_tokens", "length"),
        ("tool_use", "tool_calls"),
        ("refusal", "content_filter"),
        ("pause_turn", "stop"),
    ],
)
def test_why_it_ended_is_said_in_openais_words(reason: str, finish: str) -> None:
    ours, theirs = both(
        one_read_each(anthropic(begin(1), *block(0, "text", "x"), *end(reason, 1))), MODEL
    )
    assert ours.finish_reason == finish
    assert theirs.finish_reason == finish


def test_pings_starts_and_signatures_are_no_tokens() -> None:
    events = [begin(3), PING, *block(0, "thinking")[:1], PING]
    assert read(*events).events == []


def test_a_message_that_was_cut_has_no_output_count() -> None:
    decoded = read(begin(30, cache_read_input_tokens=2), *block(0, "text", "Good ")[:2])
    assert (decoded.usage.input, decoded.usage.output, decoded.finished) == (32, None, False)


def test_calls_are_numbered_from_0_behind_other_blocks() -> None:
    decoded = read(
        begin(1),
        *block(0, "text", "so:"),
        *block(1, "tool_use", '{"a":', " 1}", id="t1", name="one"),
        *block(2, "tool_use", id="t2", name="two"),
        *end("tool_use", 9),
    )
    assert decoded.tool_calls == [
        {"id": "t1", "name": "one", "arguments": '{"a": 1}'},
        {"id": "t2", "name": "two", "arguments": "{}"},
    ]
    assert [event.part for event in decoded.events] == ["text", "tool", "tool", "tool", "tool"]


def test_an_error_event_keeps_what_came_before() -> None:
    error = {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}
    decoded = read(begin(1), *block(0, "text", "part")[:2], error)
    assert decoded.text == "part"
    assert decoded.error is not None
    assert (decoded.error.kind, "Overloaded" in decoded.error.message) == ("rate_limited", True)


def test_a_whole_message_is_read() -> None:
    body = (
        b'{"id": "m", "type": "message", "role": "assistant", "content": [{"type": "thinking",'
        b' "thinking": "hm"}, {"type": "text", "text": "yes"}, {"type": "tool_use", "id": "t",'
        b' "name": "f", "input": {"a": 1}}], "stop_reason": "tool_use", "usage":'
        b' {"input_tokens": 4, "output_tokens": 9}}'
    )
    start = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n"
    decoded = decode(capture_of(start % len(body) + body), MODEL, ())
    assert (decoded.reasoning, decoded.text, decoded.finish_reason) == ("hm", "yes", "tool_calls")
    assert decoded.tool_calls == [{"id": "t", "name": "f", "arguments": '{"a": 1}'}]
    assert (decoded.usage.input, decoded.usage.output) == (4, 9)


def test_later_counts_replace_earlier_ones_and_the_rest_stays() -> None:
    decoded = read(
        begin(10, cache_read_input_tokens=90),
        *block(0, "text", "x"),
        *end("end_turn", 7, input_tokens=12, cache_read_input_tokens=None),
    )
    assert (decoded.usage.input, decoded.usage.cached, decoded.usage.output) == (102, 90, 7)


def test_input_is_all_input_and_writes_tell_how_long_they_last() -> None:
    usage = {
        "input_tokens": 10,
        "cache_read_input_tokens": 200,
        "cache_creation_input_tokens": 3000,
        "cache_creation": {"ephemeral_5m_input_tokens": 1000, "ephemeral_1h_input_tokens": 2000},
        "output_tokens": 50,
        "output_tokens_details": {"thinking_tokens": 20},
    }
    assert usage_of(usage) == Usage(3210, 50, 20, 200, 3000, 2000)


def test_counts_that_are_none_stay_unknown() -> None:
    assert usage_of({}) == Usage()
    assert usage_of({"output_tokens": True, "input_tokens": "many"}) == Usage()
