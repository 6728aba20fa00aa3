"""Gemini's responses, as LiteLLM reads them and beyond."""

from __future__ import annotations

import json
from typing import Any

import pytest

from engine.llm.answer import Decoded, Usage
from engine.llm.decode import decode
from engine.llm.gemini_stream import usage_of
from tests.engine.llm.agreement import both, counted, same_answer
from tests.engine.llm.formats import GEMINI, function, gemini, one_read_each, said, text
from tests.engine.llm.streams import capture_of

MODEL = "gemini/gemini-2.5-flash"


def read(*chunks: dict[str, Any]) -> Decoded:
    return decode(one_read_each(gemini(*chunks)), MODEL, ())


@pytest.mark.parametrize("name", GEMINI)
def test_it_agrees_with_litellm_on_the_same_bytes(name: str) -> None:
    ours, theirs = both(one_read_each(GEMINI[name]), MODEL)
    same_answer(ours, theirs)
    assert counted(ours.usage) == counted(theirs.usage)
    assert (ours.usage.reasoning or 0) == (theirs.usage.reasoning or 0)


@pytest.mark.parametrize(
    ("reason", "finish"),
    [
        ("STOP", "stop"),
        ("MAX_TOKENS", "length"),
        ("SAFETY", "content_filter"),
        ("RECITATION", "content_filter"),
        ("PROHIBITED_CONTENT", "content_filter"),
        ("MALFORMED_FUNCTION_CALL", "stop"),
    ],
)
def test_why_it_ended_is_said_in_openais_words(reason: str, finish: str) -> None:
    ours, theirs = both(one_read_each(gemini(said(text("x"), finish=reason))), MODEL)
    assert ours.finish_reason == finish
    assert theirs.finish_reason == finish


def test_a_blocked_prompt_is_filtered() -> None:
    decoded = read({"promptFeedback": {"blockReason": "SAFETY"}})
    assert (decoded.finish_reason, decoded.finished, decoded.events) == ("content_filter", True, [])


def test_thoughts_text_and_calls_of_one_response_are_an_event_each() -> None:
    decoded = read(said(text("hm", thought=True), text("so"), function("f", a=1), finish="STOP"))
    assert [event.part for event in decoded.events] == ["reasoning", "text", "tool"]
    assert decoded.finish_reason == "tool_calls"
    (call,) = decoded.tool_calls
    assert (call["name"], json.loads(call["arguments"])) == ("f", {"a": 1})


def test_counts_that_grow_tell_the_tokens_of_each_response() -> None:
    decoded = read(
        said(text("a b c d"), promptTokenCount=3, candidatesTokenCount=4, totalTokenCount=7),
        said(text(" e f"), promptTokenCount=3, candidatesTokenCount=6, totalTokenCount=9),
    )
    assert [event.tokens for event in decoded.events] == [4, 2]


def test_hidden_thoughts_are_no_tokens_of_the_text_that_follows() -> None:
    decoded = read(
        said(text("a"), promptTokenCount=3, thoughtsTokenCount=500, totalTokenCount=503),
        said(text(" b"), promptTokenCount=3, thoughtsTokenCount=500, candidatesTokenCount=2,
             totalTokenCount=505),
    )  # fmt: skip
    assert decoded.usage.output == 502
    assert all(event.tokens is None for event in decoded.events)


def test_a_stream_that_was_cut_before_it_counted_has_no_output_count() -> None:
    decoded = read(said(text("a"), promptTokenCount=3, totalTokenCount=3))
    assert (decoded.usage.input, decoded.usage.output) == (3, None)


def test_an_array_of_responses_is_read() -> None:
    body = json.dumps([said(text("a")), said(text("b"), finish="STOP")]).encode()
    start = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n"
    decoded = decode(capture_of(start % len(body) + body), MODEL, ())
    assert (decoded.text, decoded.finish_reason) == ("ab", "stop")


def test_further_candidates_are_passed_over() -> None:
    chunk = said(text("a"))
    chunk["candidates"].append({"index": 1, "content": {"parts": [text("other")]}})
    assert read(chunk).text == "a"


def test_thoughts_are_output_unless_the_total_counts_them_in() -> None:
    apart = {
        "promptTokenCount": 9,
        "candidatesTokenCount": 2,
        "thoughtsTokenCount": 8,
        "totalTokenCount": 19,
    }
    assert usage_of(apart) == Usage(9, 10, 8)
    assert usage_of(apart | {"candidatesTokenCount": 10}) == Usage(9, 10, 8)


def test_what_tools_put_into_the_prompt_is_input() -> None:
    usage = {
        "promptTokenCount": 9,
        "toolUsePromptTokenCount": 100,
        "cachedContentTokenCount": 4,
        "candidatesTokenCount": 2,
        "totalTokenCount": 111,
    }
    assert usage_of(usage) == Usage(109, 2, None, 4)


def test_a_count_of_0_is_left_out_and_told_by_the_total() -> None:
    assert usage_of({"promptTokenCount": 9, "totalTokenCount": 9}).output == 0
    assert usage_of({"promptTokenCount": 9}).output is None
