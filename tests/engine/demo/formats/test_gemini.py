"""Gemini's wire format, as the running demo server speaks it."""

from __future__ import annotations

import json
import zlib
from itertools import pairwise
from typing import Any

import pytest

from engine.demo.catalog import catalog
from engine.demo.process import DemoServer
from engine.demo.truth import Record
from tests.engine.demo.client import Reply, ask, truth_of

STREAM = "streamGenerateContent?alt=sse"


def generate(
    demo: DemoServer, model: str, method: str = STREAM, key: str = "alice-key", **config: Any
) -> Reply:
    body = {
        "contents": [{"role": "user", "parts": [{"text": "Explain tides to a sailor"}]}],
        "generationConfig": config,
    }
    path = f"/v1beta/models/{model}:{method}"
    return ask(demo, body, path=path, key="", headers=f"x-goog-api-key: {key}\r\n")


def chunks(body: bytes) -> list[dict[str, Any]]:
    whole = body[: body.rfind(b"\r\n\r\n")].decode().split("\r\n\r\n")
    return [json.loads(block[6:]) for block in whole if block.startswith("data: ")]


def parts(body: bytes) -> list[dict[str, Any]]:
    """The parts that carry anything; each chunk has one candidate with one part."""
    found = [chunk["candidates"][0]["content"]["parts"] for chunk in chunks(body)]
    assert all(len(one) == 1 for one in found)
    return [part for (part,) in found if part.get("text") != ""]


def played(demo: DemoServer, name: str) -> tuple[Reply, Record]:
    reply = generate(demo, name)
    return reply, truth_of(demo, reply)


def test_a_plain_stream_is_a_response_a_token_and_one_that_ends_it(demo: DemoServer) -> None:
    reply, truth = played(demo, "plain")
    *said, last = chunks(reply.body)
    assert len(parts(reply.body)) == len(said) == len(truth.sends) == truth.output
    assert not any("usageMetadata" in chunk for chunk in said)
    assert last["candidates"][0]["finishReason"] == "STOP"
    assert last["usageMetadata"] == {
        "promptTokenCount": truth.input,
        "candidatesTokenCount": truth.output,
        "totalTokenCount": truth.input + truth.output,
        "promptTokensDetails": [{"modality": "TEXT", "tokenCount": truth.input}],
    }
    assert {chunk["modelVersion"] for chunk in said} == {"plain"}


def test_thoughts_are_marked_and_counted_apart(demo: DemoServer) -> None:
    reply, truth = played(demo, "reasoning")
    thought = [part.get("thought", False) for part in parts(reply.body)]
    assert thought == sorted(thought, reverse=True)
    assert sum(thought) == truth.reasoning_sends == 12
    counts = chunks(reply.body)[-1]["usageMetadata"]
    assert counts["thoughtsTokenCount"] == 12
    assert counts["candidatesTokenCount"] == truth.output - 12


def test_a_function_call_comes_in_one_piece_when_its_last_token_is_there(demo: DemoServer) -> None:
    reply, truth = played(demo, "tool-call")
    (part,) = parts(reply.body)
    assert part["functionCall"]["name"] == truth.tool == "look_up"
    assert part["functionCall"]["args"]["term"]
    assert truth.tokens == [truth.output]
    gaps_ns = 2_000_000 * (truth.output - 1)
    assert truth.sends[0] - truth.received_ns >= 20_000_000 + gaps_ns


def test_counts_in_every_chunk_count_up(demo: DemoServer) -> None:
    reply, truth = played(demo, "usage-every-chunk")
    *said, last = [chunk["usageMetadata"]["candidatesTokenCount"] for chunk in chunks(reply.body)]
    assert [now - before for before, now in pairwise([0, *said])] == truth.tokens
    assert last == said[-1] == truth.output


def test_cached_input_is_part_of_the_prompt(demo: DemoServer) -> None:
    path = f"/v1beta/models/fast-small:{STREAM}"
    text = "Once more: " + "the tide comes in and goes out again, " * 60
    body = {"contents": [{"parts": [{"text": text}]}], "generationConfig": {"maxOutputTokens": 2}}
    first, again = (ask(demo, body, path=path) for _ in "ab")
    truth = truth_of(demo, again)
    counts = chunks(again.body)[-1]["usageMetadata"]
    assert counts["cachedContentTokenCount"] == truth.cached > 128
    assert counts["promptTokenCount"] == truth.input == truth_of(demo, first).input


@pytest.mark.parametrize(
    "name",
    ["split-anywhere", "utf8-split", "four-per-chunk", "late-finish", "keepalive", "no-done"],
)
def test_scripts_change_the_bytes_borders_and_moments_only(demo: DemoServer, name: str) -> None:
    reply, truth = played(demo, name)
    said = "".join(part["text"] for part in parts(reply.body))
    assert reply.complete
    assert said == (catalog().scripts[name].text or said) != ""
    assert len(parts(reply.body)) == len(truth.sends)
    assert sum(truth.tokens) == truth.output


def test_gzip_and_no_usage_do_what_they_say(demo: DemoServer) -> None:
    packed, _ = played(demo, "gzip")
    plain = zlib.decompressobj(wbits=31).decompress(packed.body)
    assert "finishReason" in chunks(plain)[-1]["candidates"][0]
    silent, _ = played(demo, "no-usage")
    assert b"usageMetadata" not in silent.body


def test_bad_endings_end_badly(demo: DemoServer) -> None:
    cut, truth = played(demo, "cut")
    assert not cut.complete
    assert len(parts(cut.body)) == len(truth.sends) == truth.output // 2
    failed, _ = played(demo, "error-mid")
    assert chunks(failed.body)[-1]["error"]["status"] == "INTERNAL"
    malformed, _ = played(demo, "malformed")
    with pytest.raises(json.JSONDecodeError):
        chunks(malformed.body)
    empty, _ = played(demo, "empty")
    assert parts(empty.body) == []


@pytest.mark.parametrize(
    ("name", "key", "status", "word"),
    [
        ("plain", "wrong-key", 401, "UNAUTHENTICATED"),
        ("status-429", "k", 429, "RESOURCE_EXHAUSTED"),
        ("status-500", "k", 500, "INTERNAL"),
        ("no-such-model", "k", 404, "NOT_FOUND"),
        ("error-in-200", "k", 200, "INTERNAL"),
    ],
)
def test_an_error_has_googles_shape(
    demo: DemoServer, name: str, key: str, status: int, word: str
) -> None:
    reply = generate(demo, name, key=key)
    assert (reply.status, reply.json["error"]["status"]) == (status, word)
    assert set(reply.json["error"]) == {"code", "message", "status"}


def test_a_key_may_stand_in_the_address(demo: DemoServer) -> None:
    body = {"contents": [{"parts": [{"text": "Hi"}]}]}
    path = "/v1beta/models/plain:generateContent?key="
    assert ask(demo, body, path=f"{path}wrong-key", key="").status == 401
    assert ask(demo, body, path=f"{path}alice-key", key="").status == 200


def test_a_whole_response_has_thoughts_text_calls_and_counts(demo: DemoServer) -> None:
    said = generate(demo, "reasoning", "generateContent").json
    first, second = said["candidates"][0]["content"]["parts"]
    assert first["thought"] is True
    assert "thought" not in second
    assert said["usageMetadata"]["thoughtsTokenCount"] == 12
    called = generate(demo, "tool-call", "generateContent").json
    assert called["candidates"][0]["content"]["parts"][0]["functionCall"]["args"]["term"]
    short = generate(demo, "tool-call", "generateContent", maxOutputTokens=3).json
    (candidate,) = short["candidates"]
    assert candidate["finishReason"] == "MAX_TOKENS"
    assert candidate["content"]["parts"][0]["functionCall"]["args"] == {}


def test_the_models_are_listed_with_their_limits(demo: DemoServer) -> None:
    listed = ask(demo, method="GET", path="/v1beta/models").json["models"]
    assert [entry["name"] for entry in listed] == [f"models/{name}" for name in catalog().models]
    assert listed[1]["inputTokenLimit"] == 32_768
    assert ask(demo, {}, path="/v1beta/models").json["error"]["code"] == 405
