"""Cohere's chat events, after the examples in its documentation."""

from __future__ import annotations

import json
from typing import Any

import pytest

from engine.llm.answer import Decoded, Usage
from engine.llm.cohere_stream import usage_of
from engine.llm.decode import decode
from tests.engine.llm.formats import COHERE, cohere, cohere_end, content, one_read_each
from tests.engine.llm.streams import capture_of

MODEL = "cohere_chat/command-a-03-2025"


def read(*events: dict[str, Any]) -> Decoded:
    return decode(one_read_each(cohere(*events)), MODEL, ())


def test_text_has_its_tokens_and_what_is_billed() -> None:
    decoded = decode(one_read_each(COHERE["text"]), "cohere/command-a-03-2025", ())
    assert (decoded.text, decoded.finish_reason, decoded.finished) == (
        "Grüße, 東京 🌍!",
        "stop",
        True,
    )
    assert decoded.usage == Usage(5, 4)
    assert [event.at_ns for event in decoded.events] == [n * 1_000_000 for n in (4, 5, 6, 7)]


def test_thinking_and_the_plan_for_a_tool_are_reasoning() -> None:
    assert decode(one_read_each(COHERE["thinking"]), MODEL, ()).reasoning == "Hm, größer?"
    decoded = decode(one_read_each(COHERE["tools"]), MODEL, ())
    assert (decoded.reasoning, decoded.text) == ("I will look.", "")


def test_calls_are_joined_from_their_pieces() -> None:
    decoded = decode(one_read_each(COHERE["tools"]), MODEL, ())
    assert decoded.finish_reason == "tool_calls"
    assert decoded.tool_calls == [
        {"id": "weather_1", "name": "weather", "arguments": '{"city": "Łódź"}'},
        {"id": "time_2", "name": "time", "arguments": "{}"},
    ]


@pytest.mark.parametrize(
    ("reason", "finish"),
    [("COMPLETE", "stop"), ("STOP_SEQUENCE", "stop"), ("MAX_TOKENS", "length")],
)
def test_why_it_ended_is_said_in_openais_words(reason: str, finish: str) -> None:
    assert read(content("text", "x"), cohere_end(reason, 1, 1)).finish_reason == finish


@pytest.mark.parametrize(("reason", "kind"), [("ERROR", "server"), ("TIMEOUT", "timeout")])
def test_an_answer_that_failed_says_so(reason: str, kind: str) -> None:
    decoded = read(content("text", "x"), cohere_end(reason, 1, 1))
    assert decoded.error is not None
    assert (decoded.error.kind, decoded.finished, decoded.text) == (kind, False, "x")


def test_a_whole_chat_is_read() -> None:
    call = {"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}
    parts = [{"type": "thinking", "thinking": "hm"}, {"type": "text", "text": "yes"}]
    message = {"role": "assistant", "content": parts, "tool_calls": [call]}
    usage = {"billed_units": {"input_tokens": 3, "output_tokens": 2}}
    body = json.dumps(
        {"id": "x", "message": message, "finish_reason": "TOOL_CALL", "usage": usage}
    ).encode()
    start = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n"
    decoded = decode(capture_of(start % len(body) + body), MODEL, ())
    assert (decoded.reasoning, decoded.text, decoded.finish_reason) == ("hm", "yes", "tool_calls")
    assert decoded.tool_calls == [{"id": "c", "name": "f", "arguments": "{}"}]
    assert decoded.usage == Usage(3, 2)


def test_all_tokens_count_where_nothing_is_said_to_be_billed() -> None:
    usage = {"tokens": {"input_tokens": 65.0, "output_tokens": 2.0}, "cached_tokens": 64}
    assert usage_of(usage) == Usage(65, 2, cached=64)
    assert usage_of({"billed_units": {"input_tokens": 5.5}}) == Usage()
