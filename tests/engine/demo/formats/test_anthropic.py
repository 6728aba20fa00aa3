"""Anthropic's wire format, as the running demo server speaks it."""

from __future__ import annotations

import json
import zlib
from itertools import groupby
from typing import Any

import pytest

from engine.demo.catalog import catalog
from engine.demo.process import DemoServer
from engine.demo.truth import Record
from tests.engine.demo.client import Reply, ask, truth_of

DELTA_TEXT = {
    "text_delta": "text",
    "thinking_delta": "thinking",
    "input_json_delta": "partial_json",
}


def message(demo: DemoServer, model: str, key: str = "alice-key", **more: Any) -> Reply:
    body = {
        "model": model,
        "max_tokens": 64,
        "stream": True,
        "messages": [{"role": "user", "content": "Explain tides to a sailor"}],
        **more,
    }
    headers = f"x-api-key: {key}\r\nanthropic-version: 2023-06-01\r\n"
    return ask(demo, body, path="/v1/messages", key="", headers=headers)


def events(body: bytes) -> list[dict[str, Any]]:
    """The events of a stream that came whole, checked for the name each one carries."""
    found = []
    for block in body[: body.rfind(b"\n\n")].decode().split("\n\n"):
        if block.startswith("event: "):
            name, data = block.split("\n")
            event = json.loads(data.removeprefix("data: "))
            assert name == f"event: {event['type']}"
            found.append(event)
    return found


def deltas(body: bytes) -> list[tuple[str, str]]:
    """(type, text) of the deltas that carry any."""
    pairs = [
        (e["delta"]["type"], e["delta"]) for e in events(body) if "index" in e and "delta" in e
    ]
    return [
        (kind, text) for kind, delta in pairs if (text := delta.get(DELTA_TEXT.get(kind, ""), ""))
    ]


def of_type(body: bytes, name: str) -> list[dict[str, Any]]:
    return [event for event in events(body) if event["type"] == name]


def played(demo: DemoServer, name: str) -> tuple[Reply, Record]:
    reply = message(demo, name)
    return reply, truth_of(demo, reply)


def test_a_plain_stream_has_the_events_of_a_message_in_order(demo: DemoServer) -> None:
    reply, truth = played(demo, "plain")
    order = [kind for kind, _ in groupby(event["type"] for event in events(reply.body))]
    assert order == [
        "message_start",
        "ping",
        "content_block_start",
        "content_block_delta",
        "content_block_stop",
        "message_delta",
        "message_stop",
    ]
    (start,), (end,) = of_type(reply.body, "message_start"), of_type(reply.body, "message_delta")
    assert start["message"]["content"] == []
    assert start["message"]["usage"]["input_tokens"] == truth.input
    assert end["delta"] == {"stop_reason": "end_turn", "stop_sequence": None}
    assert end["usage"] == {"output_tokens": truth.output}
    assert len(deltas(reply.body)) == len(truth.sends) == truth.output


def test_thinking_is_a_block_of_its_own_and_signed(demo: DemoServer) -> None:
    reply, truth = played(demo, "reasoning")
    starts = [e["content_block"]["type"] for e in of_type(reply.body, "content_block_start")]
    assert starts == ["thinking", "text"]
    kinds = [kind for kind, _ in deltas(reply.body)]
    assert kinds.count("thinking_delta") == truth.reasoning_sends == 12
    assert b"signature_delta" in reply.body
    (end,) = of_type(reply.body, "message_delta")
    assert end["usage"]["output_tokens_details"] == {"thinking_tokens": 12}


def test_a_tool_call_opens_with_its_name_and_goes_on_with_json(demo: DemoServer) -> None:
    reply, truth = played(demo, "tool-call")
    (start,) = of_type(reply.body, "content_block_start")
    assert start["content_block"]["name"] == truth.tool == "look_up"
    assert start["content_block"]["input"] == {}
    assert start["content_block"]["id"].startswith("toolu_")
    assert json.loads("".join(text for _, text in deltas(reply.body)))["term"]
    assert len(deltas(reply.body)) + 1 == len(truth.sends)
    assert of_type(reply.body, "message_delta")[0]["delta"]["stop_reason"] == "tool_use"


def test_input_that_met_the_cache_is_counted_apart(demo: DemoServer) -> None:
    text = "One more time: " + "the tide comes in and goes out again, " * 60

    def counts() -> tuple[dict[str, int], Record]:
        body = [{"role": "user", "content": text}]
        reply = message(demo, "fast-small", max_tokens=2, messages=body)
        return of_type(reply.body, "message_start")[0]["message"]["usage"], truth_of(demo, reply)

    (first, truth), (second, again) = counts(), counts()
    assert first["cache_creation_input_tokens"] > 0
    assert first["cache_read_input_tokens"] == truth.cached
    assert second["cache_read_input_tokens"] == again.cached == first["cache_creation_input_tokens"]
    for usage in (first, second):
        names = ("input_tokens", "cache_creation_input_tokens", "cache_read_input_tokens")
        assert sum(usage[name] for name in names) == truth.input == again.input


def test_keepalive_pings_and_sends_empty_deltas(demo: DemoServer) -> None:
    reply, truth = played(demo, "keepalive")
    assert len(of_type(reply.body, "ping")) > 3
    empty = [e for e in of_type(reply.body, "content_block_delta") if not e["delta"]["text"]]
    assert empty
    assert len(deltas(reply.body)) == truth.output


@pytest.mark.parametrize("name", ["split-anywhere", "utf8-split", "four-per-chunk", "late-finish"])
def test_scripts_change_the_bytes_borders_and_moments_only(demo: DemoServer, name: str) -> None:
    reply, truth = played(demo, name)
    said = "".join(text for _, text in deltas(reply.body))
    assert reply.complete
    assert said == (catalog().scripts[name].text or said) != ""
    assert len(deltas(reply.body)) == len(truth.sends)
    assert sum(truth.tokens) == truth.output


def test_gzip_no_usage_and_no_done_leave_out_what_they_say(demo: DemoServer) -> None:
    packed, _ = played(demo, "gzip")
    assert (
        events(zlib.decompressobj(wbits=31).decompress(packed.body))[-1]["type"] == "message_stop"
    )
    silent, _ = played(demo, "no-usage")
    assert b'"usage"' not in silent.body
    endless, _ = played(demo, "no-done")
    assert events(endless.body)[-1]["type"] == "message_delta"


def test_bad_endings_end_badly(demo: DemoServer) -> None:
    cut, truth = played(demo, "cut")
    assert not cut.complete
    assert len(deltas(cut.body)) == len(truth.sends) == truth.output // 2
    failed, _ = played(demo, "error-mid")
    assert events(failed.body)[-1]["error"]["type"] == "api_error"
    malformed, _ = played(demo, "malformed")
    with pytest.raises(json.JSONDecodeError):
        events(malformed.body)
    empty, _ = played(demo, "empty")
    assert (deltas(empty.body), of_type(empty.body, "content_block_start")) == ([], [])


@pytest.mark.parametrize(
    ("name", "key", "status", "kind"),
    [
        ("plain", "wrong-key", 401, "authentication_error"),
        ("status-429", "k", 429, "rate_limit_error"),
        ("status-500", "k", 500, "api_error"),
        ("no-such-model", "k", 404, "not_found_error"),
        ("error-in-200", "k", 200, "api_error"),
    ],
)
def test_an_error_has_anthropics_shape(
    demo: DemoServer, name: str, key: str, status: int, kind: str
) -> None:
    reply = message(demo, name, key)
    assert (reply.status, reply.json["type"], reply.json["error"]["type"]) == (
        status,
        "error",
        kind,
    )
    assert set(reply.json["error"]) == {"type", "message"}


def test_a_whole_message_has_thoughts_text_and_counts(demo: DemoServer) -> None:
    said = message(demo, "reasoning", stream=False).json
    assert [block["type"] for block in said["content"]] == ["thinking", "text"]
    assert (
        said["usage"]["output_tokens"] > said["usage"]["output_tokens_details"]["thinking_tokens"]
    )
    called = message(demo, "tool-call", stream=False).json
    assert called["stop_reason"] == "tool_use"
    assert called["content"][0]["input"]["term"]
    short = message(demo, "tool-call", stream=False, max_tokens=3).json
    assert (short["stop_reason"], short["content"][0]["input"]) == ("max_tokens", {})


def test_its_model_list_stands_at_the_address_of_openais(demo: DemoServer) -> None:
    headers = "x-api-key: k\r\nanthropic-version: 2023-06-01\r\n"
    listed = ask(demo, method="GET", path="/v1/models", key="", headers=headers).json
    assert [entry["id"] for entry in listed["data"]] == list(catalog().models)
    assert listed["has_more"] is False
    assert "object" in ask(demo, method="GET", path="/v1/models").json
