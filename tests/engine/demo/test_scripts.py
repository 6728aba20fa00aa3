"""Every scripted behaviour, seen on the wire; the twelve traps are among them."""

from __future__ import annotations

import gzip
import json
import time
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest

from engine.demo.catalog import catalog
from engine.demo.process import DemoServer
from engine.demo.truth import Record
from tests.engine.demo.client import (
    Reply,
    ask,
    chat,
    connect,
    deltas,
    events,
    finish,
    receive,
    request_bytes,
    text,
    truth_of,
    usage,
    whole,
)
from tests.helpers import eventually


def played(demo: DemoServer, name: str) -> tuple[Reply, Record]:
    """A stream of that script, and its truth."""
    reply = ask(demo, chat(name))
    truth = truth_of(demo, reply)
    assert truth.script == name
    return reply, truth


def played_until(
    demo: DemoServer, name: str, seen: Callable[[Reply, Record], bool]
) -> tuple[Reply, Record]:
    """The same, again and again until the client has `seen` it: a busy machine delays writes
    and joins reads, and what is to be shown must then be shown by another stream."""

    def play() -> tuple[Reply, Record] | None:
        reply, truth = played(demo, name)
        return (reply, truth) if seen(reply, truth) else None

    return eventually(play, what=f"a stream of {name} that shows it")


def arrived_ns(reply: Reply, part: bytes) -> int:
    """When the read came that held `part`."""
    return next(at for at, data in reply.reads if part in data)


def partial(body: bytes) -> str:
    """The text of the events that came whole."""
    return text(body[: body.rindex(b"\n\n") + 2])


def test_every_script_is_played_in_this_module() -> None:
    source = Path(__file__).read_text(encoding="utf-8")
    assert [name for name in catalog().scripts if f'"{name}"' not in source] == []


@pytest.mark.parametrize(
    ("name", "status", "kind"),
    [
        ("status-401", 401, "authentication_error"),
        ("status-429", 429, "rate_limit_error"),
        ("status-500", 500, "server_error"),
    ],
)
def test_an_error_status_has_the_shape_of_an_error(
    demo: DemoServer, name: str, status: int, kind: str
) -> None:
    for body in (chat(name), whole(name)):
        reply = ask(demo, body)
        assert (reply.status, reply.error["type"]) == (status, kind)
        assert ("retry-after" in reply.headers) is (status == 429)
        truth = truth_of(demo, reply)
        assert (truth.status, truth.sends, truth.script) == (status, [], name)
        assert truth.error


def test_retry_once_succeeds_on_the_second_try_of_the_same_key(demo: DemoServer) -> None:
    alice = [ask(demo, chat("retry-once"), key="alice-retries") for _ in range(4)]
    bob = ask(demo, chat("retry-once"), key="bob-retries")
    assert [reply.status for reply in alice] == [429, 200, 429, 200]
    assert alice[0].headers["retry-after"] == "1"
    assert bob.status == 429


def test_html_comes_as_a_success_that_is_no_completion(demo: DemoServer) -> None:
    reply, truth = played(demo, "html")
    assert (reply.status, reply.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert reply.body.startswith(b"<!doctype html>")
    assert truth.error == "html"


def test_an_error_may_come_with_status_200(demo: DemoServer) -> None:
    reply, truth = played(demo, "error-in-200")
    assert (reply.status, reply.error["code"]) == (200, "server_error")
    assert truth.error == "error"


def test_cut_ends_the_connection_in_mid_stream(demo: DemoServer) -> None:
    reply, truth = played(demo, "cut")
    assert not reply.complete
    assert finish(reply.body) is None
    assert len(deltas(reply.body)) - 1 == len(truth.sends) == truth.output // 2
    assert truth.error == "cut"
    assert not ask(demo, whole("cut")).complete


def test_a_script_can_be_played_at_a_listed_models_pace(demo: DemoServer) -> None:
    reply = ask(demo, chat("fast-small+cut", max_tokens=6))
    truth = truth_of(demo, reply)
    assert (truth.model, truth.script, truth.tokens) == ("fast-small+cut", "cut", [1, 1, 1])
    assert (truth.sends[0] - truth.received_ns) / 1e6 > 80


@pytest.mark.parametrize("body", [chat("hang"), whole("hang"), chat("hang-mid"), whole("hang-mid")])
def test_a_hanging_answer_stays_silent_until_the_client_leaves(
    demo: DemoServer, body: dict[str, object]
) -> None:
    before = len(demo.truth())
    with connect(demo) as sock:
        sock.settimeout(0.25)
        sock.sendall(request_bytes(body))
        with pytest.raises(TimeoutError):
            receive(sock)
    truth = eventually(lambda: demo.truth()[before:], what="the record of the hanging answer")[0]
    assert (truth.script, truth.error) == (body["model"], "hang")
    streamed_half = body["model"] == "hang-mid" and "stream" in body
    assert bool(truth.sends) is streamed_half
    assert len(truth.sends) == (truth.output // 2 if streamed_half else 0)


def test_malformed_breaks_one_event_and_goes_on(demo: DemoServer) -> None:
    reply, truth = played(demo, "malformed")
    with pytest.raises(json.JSONDecodeError):
        events(reply.body)
    assert reply.complete
    assert sum(truth.tokens) == truth.output - 1
    assert truth.error == "malformed"
    with pytest.raises(json.JSONDecodeError):
        _ = ask(demo, whole("malformed")).json


def test_error_mid_says_so_in_an_event_and_a_whole_answer_in_its_status(demo: DemoServer) -> None:
    reply, truth = played(demo, "error-mid")
    *_, last = reply.body.strip().split(b"\n\n")
    assert json.loads(last.removeprefix(b"data: "))["error"]["code"] == "server_error"
    assert (reply.complete, truth.error, len(truth.sends)) == (True, "error-mid", truth.output // 2)
    assert ask(demo, whole("error-mid")).status == 500


def test_empty_finishes_without_a_word(demo: DemoServer) -> None:
    reply, truth = played(demo, "empty")
    assert (text(reply.body), finish(reply.body)) == ("", "stop")
    assert (truth.output, truth.sends, truth.first_ns) == (0, [], None)
    assert ask(demo, whole("empty")).json["choices"][0]["message"]["content"] == ""


def test_no_usage_leaves_out_counts_that_were_asked_for(demo: DemoServer) -> None:
    reply, truth = played(demo, "no-usage")
    assert all(event.get("usage") is None for event in events(reply.body))
    assert truth.output == sum(truth.tokens) > 0
    assert "usage" not in ask(demo, whole("no-usage")).json


def test_no_done_ends_with_the_counts(demo: DemoServer) -> None:
    reply, _ = played(demo, "no-done")
    assert reply.complete
    assert b"[DONE]" not in reply.body
    assert usage(reply.body) is not None


def test_trap_role_only_sends_the_role_long_before_the_first_token(demo: DemoServer) -> None:
    reply, truth = played_until(
        demo,
        "trap-role-only",
        lambda reply, truth: truth.sends[0] - arrived_ns(reply, b'"role"') > 10e6,
    )
    assert deltas(reply.body)[0] == {"role": "assistant", "content": ""}
    assert len(truth.sends) == truth.output


def test_keepalive_mixes_comments_and_empty_deltas_in(demo: DemoServer) -> None:
    reply, truth = played_until(
        demo,
        "keepalive",
        lambda reply, truth: arrived_ns(reply, b": keep-alive") < truth.sends[0],
    )
    assert reply.body.count(b": keep-alive\n\n") >= 5
    silent = [delta for delta in deltas(reply.body) if not delta.get("content")]
    assert {} in silent
    assert {"content": ""} in silent
    assert len(truth.sends) == truth.output


def test_four_per_chunk_carries_four_tokens_an_event(demo: DemoServer) -> None:
    reply, truth = played(demo, "four-per-chunk")
    spoken = [delta for delta in deltas(reply.body) if delta.get("content")]
    assert len(spoken) == len(truth.sends)
    assert set(truth.tokens[:-1]) == {4}


def test_usage_every_chunk_counts_up_event_by_event(demo: DemoServer) -> None:
    reply, truth = played(demo, "usage-every-chunk")
    counts = [e["usage"]["completion_tokens"] for e in events(reply.body) if e.get("usage")]
    steps = [b - a for a, b in zip([0, *counts], counts, strict=False)]
    assert steps[: len(truth.tokens)] == truth.tokens
    assert len(set(truth.tokens)) > 1


def test_reasoning_comes_before_the_answer_and_is_part_of_the_output(demo: DemoServer) -> None:
    reply, truth = played(demo, "reasoning")
    kinds = ["reasoning_content" in d for d in deltas(reply.body) if len(d) == 1]
    assert kinds == sorted(kinds, reverse=True)
    assert (sum(kinds), truth.reasoning_sends, truth.reasoning) == (12, 12, 12)
    counts = usage(reply.body)
    assert counts is not None
    assert counts["completion_tokens_details"]["reasoning_tokens"] == 12
    assert counts["completion_tokens"] == truth.output == len(truth.sends)
    message = ask(demo, whole("reasoning")).json["choices"][0]["message"]
    assert message["reasoning_content"]
    assert message["content"]


def test_tool_call_calls_even_where_no_tool_was_offered(demo: DemoServer) -> None:
    reply, truth = played(demo, "tool-call")
    parts = [delta["tool_calls"][0] for delta in deltas(reply.body) if "tool_calls" in delta]
    assert parts[0]["function"]["name"] == truth.tool == "look_up"
    assert len(parts) == len(truth.sends) > 3
    assert finish(reply.body) == "tool_calls"


def test_utf8_split_breaks_writes_inside_characters(demo: DemoServer) -> None:
    reply, truth = played_until(
        demo,
        "utf8-split",
        lambda reply, _: any(data and data[-1] >= 0x80 for _, data in reply.reads),
    )
    assert text(reply.body) == catalog().scripts["utf8-split"].text
    assert sum(truth.tokens) == truth.output


def test_split_anywhere_moves_the_borders_off_the_events(demo: DemoServer) -> None:
    reply, truth = played_until(
        demo,
        "split-anywhere",
        lambda reply, _: sum(not data.endswith(b"\n\n\r\n") for _, data in reply.reads) > 8,
    )
    assert (len(deltas(reply.body)) - 2, reply.complete) == (truth.output, True)


def test_late_finish_holds_back_the_end_for_300_ms(demo: DemoServer) -> None:
    def held_back(reply: Reply, truth: Record) -> bool:
        held = arrived_ns(reply, b'"finish_reason":"stop"') - truth.sends[-1]
        return 290e6 < held < 330e6

    reply, _ = played_until(demo, "late-finish", held_back)
    assert arrived_ns(reply, b"[DONE]") >= arrived_ns(reply, b'"finish_reason":"stop"')


def test_gzip_can_be_unpacked_as_it_comes(demo: DemoServer) -> None:
    reply, truth = played(demo, "gzip")
    assert reply.headers["content-encoding"] == "gzip"
    plain = zlib.decompressobj(wbits=31).decompress(reply.body)
    assert len(text(plain)) > 50
    assert sum(truth.tokens) == truth.output
    packed = ask(demo, whole("gzip"))
    assert json.loads(gzip.decompress(packed.body))["choices"]


def test_slow_drip_takes_300_ms_a_token(demo: DemoServer) -> None:
    start = time.monotonic()
    reply = ask(demo, chat("slow-drip", max_tokens=3))
    assert len(truth_of(demo, reply).sends) == 3
    assert time.monotonic() - start > 0.6


def test_plain_has_no_script_at_all(demo: DemoServer) -> None:
    reply, truth = played(demo, "plain")
    assert (finish(reply.body), truth.error) == ("stop", None)
    assert partial(reply.body) == text(reply.body)
