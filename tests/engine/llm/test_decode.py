"""Decoding of captured answers, by the fast decoder and by LiteLLM."""

from __future__ import annotations

import gzip
import itertools
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.llm.answer import Decoded
from engine.llm.decode import _READERS, decode
from engine.llm.errors import ProviderError
from engine.llm.exchange import MOST_BYTES
from engine.llm.http import parse_response
from engine.llm.openai_stream import OpenAIReader
from engine.llm.replay import decode_by_litellm
from tests.engine.llm.streams import ANSWER, capture_of, chunked, delta, head, sse

MODEL = "openai/m"


def decode_reads(*reads: bytes, **more: Any) -> Decoded:
    return decode(capture_of(*reads, **more), MODEL, ("sk-secret-key",))


@settings(max_examples=60)
@given(st.data())
def test_cutting_a_response_anywhere_gives_the_same_answer(data: st.DataObject) -> None:
    whole = head() + chunked(*(sse(chunk) for chunk in ANSWER))
    cuts = sorted(data.draw(st.sets(st.integers(1, len(whole) - 1), max_size=25)))
    bounds = [0, *cuts, len(whole)]
    decoded = decode_reads(*(whole[a:b] for a, b in itertools.pairwise(bounds)))
    assert decoded.text == "Grüße, Welt 🌍"
    assert [event.chars for event in decoded.events] == [5, 2, 6]
    assert (decoded.usage.input, decoded.usage.output) == (7, 3)
    times = [event.at_ns for event in decoded.events]
    assert times == sorted(times)
    assert decoded.finished


def test_every_single_cut_of_a_response_gives_the_same_answer() -> None:
    whole = head() + chunked(*(sse(chunk) for chunk in ANSWER))
    for cut in range(1, len(whole)):
        decoded = decode_reads(whole[:cut], whole[cut:])
        assert (decoded.text, len(decoded.events)) == ("Grüße, Welt 🌍", 3)


def test_a_role_only_chunk_and_empty_deltas_are_no_tokens() -> None:
    decoded = decode_reads(head(), chunked(sse(ANSWER[0])), chunked(sse(delta(""))))
    assert decoded.events == []


def test_usage_in_every_chunk_gives_exact_tokens_per_chunk() -> None:
    chunks = [
        delta("a b c d", usage={"prompt_tokens": 3, "completion_tokens": 4}),
        delta("e f", usage={"prompt_tokens": 3, "completion_tokens": 6}),
    ]
    decoded = decode_reads(head() + chunked(sse(*chunks, "[DONE]")))
    assert [event.tokens for event in decoded.events] == [4, 2]


def test_reasoning_and_answer_are_told_apart() -> None:
    chunks = [
        delta(delta={"reasoning_content": "hm"}),
        delta("yes"),
        delta(finish_reason="stop"),
    ]
    decoded = decode_reads(head() + chunked(sse(*chunks)))
    assert [event.part for event in decoded.events] == ["reasoning", "text"]
    assert (decoded.reasoning, decoded.text) == ("hm", "yes")


def test_tool_call_deltas_become_whole_calls() -> None:
    def call(index: int, **function: str) -> dict[str, Any]:
        return {"tool_calls": [{"index": index, "id": f"c{index}", "function": function}]}

    chunks = [
        delta(delta=call(0, name="weather", arguments="")),
        delta(delta=call(0, arguments='{"city":')),
        delta(delta=call(0, arguments='"Oslo"}')),
        delta(delta=call(1, name="time", arguments="{}")),
        delta(finish_reason="tool_calls"),
    ]
    decoded = decode_reads(head() + chunked(sse(*chunks)))
    assert [(c["name"], c["arguments"]) for c in decoded.tool_calls] == [
        ("weather", '{"city":"Oslo"}'),
        ("time", "{}"),
    ]
    assert len(decoded.events) == 4


def test_a_compressed_stream_is_read() -> None:
    body = gzip.compress(sse(*ANSWER))
    whole = head("content-encoding: gzip") + chunked(body[:30], body[30:])
    assert decode_reads(whole).text == "Grüße, Welt 🌍"


def test_a_few_bytes_that_unpack_to_gigabytes_are_given_up() -> None:
    bomb = gzip.compress(sse(delta("x")) + b":" + b"x" * (MOST_BYTES + 1_000))
    decoded = decode_reads(head("content-encoding: gzip") + chunked(bomb[:99], bomb[99:]))
    assert not decoded.finished
    assert decoded.error is not None
    assert "content-encoding: gzip" in decoded.error.message


@pytest.mark.parametrize("coding", ["br", "zstd", "gzip"])
def test_an_encoding_that_cannot_be_read_is_named(coding: str) -> None:
    error = decode_reads(head(f"content-encoding: {coding}") + chunked(b"no gzip")).error
    assert error is not None
    assert (error.kind, f"content-encoding: {coding}" in error.message) == ("stream_broken", True)


def test_a_server_that_ignores_streaming_is_read() -> None:
    message = {"role": "assistant", "content": "hello"}
    usage = {"prompt_tokens": 2, "completion_tokens": 1}
    body = json.dumps(
        {"choices": [{"index": 0, "message": message, "finish_reason": "stop"}], "usage": usage}
    ).encode()
    start = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n"
    decoded = decode_reads(start % len(body) + body)
    assert (decoded.text, decoded.usage.output, len(decoded.events)) == ("hello", 1, 1)


def test_the_fast_decoder_agrees_with_litellm() -> None:
    chunks: list[dict[str, Any] | str] = [
        delta("", delta={"role": "assistant"}),
        delta(delta={"reasoning_content": "let me "}),
        delta(delta={"reasoning_content": "think"}),
        *(delta(word) for word in "one two three four".split()),
        delta(finish_reason="stop"),
        delta(usage={"prompt_tokens": 9, "completion_tokens": 6, "total_tokens": 15})
        | {"choices": []},
        "[DONE]",
    ]
    events = [sse(chunk) for chunk in chunks]
    reads = [head(), *(b"%x\r\n%s\r\n" % (len(e), e) for e in events), b"0\r\n\r\n"]
    capture = capture_of(*reads)
    ours = decode(capture, MODEL, ())
    theirs = decode_by_litellm(parse_response(capture), MODEL, ())
    assert (ours.text, ours.reasoning) == (theirs.text, theirs.reasoning)
    assert (ours.usage.input, ours.usage.output) == (theirs.usage.input, theirs.usage.output)
    assert ours.finish_reason == theirs.finish_reason
    assert [(e.at_ns, e.part) for e in ours.events] == [(e.at_ns, e.part) for e in theirs.events]


def test_another_format_is_decoded_by_litellm_with_our_times() -> None:
    fixed = {"id": "c", "object": "text_completion", "created": 1, "model": "m"}
    choices = [{"text": "Good ", "index": 0}, {"text": "day", "index": 0, "finish_reason": "stop"}]
    whole: list[dict[str, Any]] = [{**fixed, "choices": [choice]} for choice in choices]
    bodies = [sse(chunk) for chunk in whole]
    reads = [head(), *(b"%x\r\n%s\r\n" % (len(b), b) for b in bodies), b"0\r\n\r\n"]
    decoded = decode(capture_of(*reads), "text-completion-openai/gpt-3.5-turbo-instruct", ())
    assert (decoded.text, decoded.finish_reason) == ("Good day", "stop")
    assert [event.at_ns for event in decoded.events] == [2_000_000, 3_000_000]


@pytest.mark.parametrize(
    "prefix",
    "openai anthropic gemini zai lm_studio ollama ollama_chat mistral deepseek cohere cohere_chat "
    "xai hosted_vllm".split(),
)
def test_no_provider_that_comes_configured_needs_litellm_to_be_read(prefix: str) -> None:
    assert _READERS.get(prefix, OpenAIReader) is not None


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (401, "auth"),
        (404, "bad_request"),
        (429, "rate_limited"),
        (500, "server"),
        (418, "bad_request"),
    ],
)
def test_a_refusal_has_a_kind_and_the_providers_own_words(status: int, kind: str) -> None:
    body = b'{"error": {"message": "no such thing with sk-secret-key"}}'
    start = f"HTTP/1.1 {status} X\r\ncontent-length: {len(body)}\r\n\r\n".encode()
    with pytest.raises(ProviderError) as caught:
        decode_reads(start + body)
    assert caught.value.kind == kind
    assert "no such thing" in caught.value.message
    assert "secret" not in caught.value.message


def test_a_web_page_is_not_an_answer() -> None:
    body = b"<!DOCTYPE html><title>Welcome</title>"
    start = b"HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: %d\r\n\r\n"
    with pytest.raises(ProviderError, match="web page"):
        decode_reads(start % len(body) + body)


def test_an_error_inside_a_success_is_an_error() -> None:
    body = b'{"error": {"message": "overloaded", "type": "rate_limit_error"}}'
    start = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n"
    error = decode_reads(start % len(body) + body).error
    assert error is not None
    assert error.kind == "rate_limited"


def test_an_error_event_keeps_what_came_before() -> None:
    decoded = decode_reads(head() + chunked(sse(delta("part"), {"error": {"message": "boom"}})))
    assert decoded.text == "part"
    assert decoded.error is not None
    assert "boom" in decoded.error.message


def test_a_chunk_that_is_not_json_ends_the_answer() -> None:
    decoded = decode_reads(head() + chunked(sse(delta("part"), "{nonsense")))
    assert (decoded.text, decoded.finished) == ("part", False)
    assert decoded.error is not None
    assert decoded.error.kind == "stream_broken"


def test_a_stream_without_done_is_finished_by_its_reason() -> None:
    assert decode_reads(head() + chunked(sse(*ANSWER[:-1]))).finished


def test_a_cut_stream_is_not_finished() -> None:
    assert not decode_reads(head(), sse(delta("x")), ended="eof").finished


def test_a_closed_connection_without_an_answer_says_so() -> None:
    with pytest.raises(ProviderError, match="closed the connection"):
        decode_reads(ended="eof")


def test_a_redirect_names_where_to_go() -> None:
    with pytest.raises(ProviderError, match=r"https://elsewhere\.example"):
        decode_reads(
            b"HTTP/1.1 308 X\r\nlocation: https://elsewhere.example/v1\r\ncontent-length: 0\r\n\r\n"
        )
