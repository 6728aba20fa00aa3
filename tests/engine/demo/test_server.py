"""The running server: its pages, its answers, and its pace held against models.yaml."""

from __future__ import annotations

import json
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from engine.demo.catalog import catalog
from engine.demo.process import DemoServer
from engine.demo.tokens import count, input_tokens
from tests.engine.demo.client import (
    Reply,
    ask,
    chat,
    deltas,
    events,
    finish,
    text,
    token_arrivals,
    truth_of,
    usage,
    whole,
)

WEATHER = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": "The weather forecast for a city.",
        "parameters": {
            "type": "object",
            "properties": {"city": {"type": "string"}, "days": {"type": "integer"}},
            "required": ["city", "days"],
        },
    },
}
FORECAST = "What will the weather be in New York for the next 3 days?"


def test_it_says_that_it_is_well(demo: DemoServer) -> None:
    assert ask(demo, method="GET", path="/health", key="").json == {"status": "ok"}


def test_the_model_list_has_the_fast_small_one_first_and_no_script(demo: DemoServer) -> None:
    listed = ask(demo, method="GET", path="/v1/models").json
    assert listed["object"] == "list"
    assert [entry["id"] for entry in listed["data"]] == list(catalog().models)
    assert [entry["max_model_len"] for entry in listed["data"]][1] == 32_768


@pytest.mark.parametrize(
    ("method", "path"), [("GET", "/v1/models"), ("POST", "/v1/chat/completions")]
)
def test_a_wrong_key_is_a_401_everywhere(demo: DemoServer, method: str, path: str) -> None:
    body = chat("fast-small") if method == "POST" else None
    reply = ask(demo, body, method=method, path=path, key="wrong-key")
    assert (reply.status, reply.error["type"]) == (401, "authentication_error")


@pytest.mark.parametrize("key", ["", "alice-key", "not-wrong"])
def test_any_other_key_or_none_is_fine(demo: DemoServer, key: str) -> None:
    assert ask(demo, method="GET", path="/v1/models", key=key).status == 200


@pytest.mark.parametrize(
    ("model", "ttft_ms", "tps"), [("fast-small", 120, 180), ("slow-large", 400, 87)]
)
def test_the_pace_on_the_wire_is_the_models(
    demo: DemoServer, model: str, ttft_ms: float, tps: float
) -> None:
    reply = ask(demo, chat(model, max_tokens=70, ignore_eos=True))
    truth = truth_of(demo, reply)
    assert truth.first_ns is not None
    # What a busy machine adds is measured by the server itself, and allowed for.
    late_ms = truth.late_ns / 1e6
    first_ms = (truth.first_ns - truth.received_ns) / 1e6
    span_ms = (truth.sends[-1] - truth.first_ns) / 1e6
    assert first_ms == pytest.approx(ttft_ms, abs=0.15 * ttft_ms + late_ms)
    assert span_ms == pytest.approx(69 / tps * 1_000, rel=0.06, abs=late_ms)


def test_the_truth_agrees_with_what_a_client_sees(demo: DemoServer) -> None:
    reply = ask(demo, chat("plain"))
    truth = truth_of(demo, reply)
    delays = [
        (at - sent) / 1e6 for at, sent in zip(token_arrivals(reply), truth.sends, strict=True)
    ]
    assert min(delays) >= 0
    assert min(delays) < 5
    assert truth.end_ns >= truth.sends[-1]
    assert truth.received_ns < truth.sends[0]
    assert truth.tokens == [1] * truth.output


def test_usage_is_exact_by_the_demo_tokenizer(demo: DemoServer) -> None:
    prompt = "Explain tides to a sailor, with one short example."
    reply = ask(demo, chat("plain", prompt, max_tokens=10))
    counts = usage(reply.body)
    assert counts is not None
    assert counts["completion_tokens"] == count(text(reply.body)) == 10
    assert counts["prompt_tokens"] == len(input_tokens([("user", prompt)]))
    assert counts["total_tokens"] == counts["prompt_tokens"] + 10
    truth = truth_of(demo, reply)
    assert (truth.input, truth.output) == (counts["prompt_tokens"], sum(truth.tokens))


def test_a_stream_that_does_not_ask_for_counts_gets_none(demo: DemoServer) -> None:
    reply = ask(demo, chat("plain", stream_options=None))
    assert not any("usage" in event for event in events(reply.body))
    assert reply.body.endswith(b"data: [DONE]\n\n")


def test_the_flaky_model_sends_no_counts(demo: DemoServer) -> None:
    assert "usage" not in ask(demo, whole("flaky+plain", max_tokens=1)).json
    streamed = ask(demo, chat("flaky+plain", max_tokens=1))
    assert all(event["usage"] is None for event in events(streamed.body))


def test_a_whole_answer_says_what_the_stream_says(demo: DemoServer) -> None:
    same: dict[str, Any] = {"seed": 5, "max_tokens": 12}
    streamed = ask(demo, chat("plain", **same))
    reply = ask(demo, whole("plain", **same))
    message = reply.json["choices"][0]["message"]
    assert message == {"role": "assistant", "content": text(streamed.body)}
    assert reply.json["choices"][0]["finish_reason"] == finish(streamed.body) == "length"
    assert reply.json["usage"]["completion_tokens"] == 12
    assert reply.json["id"] == reply.id
    truth = truth_of(demo, reply)
    assert (len(truth.sends), truth.tokens) == (1, [12])


def test_a_stop_text_ends_the_answer_before_it(demo: DemoServer) -> None:
    full = ask(demo, whole("plain", seed=5)).json["choices"][0]["message"]["content"]
    stop = full[40:46]
    reply = ask(demo, whole("plain", seed=5, stop=["never there", stop])).json
    said = reply["choices"][0]["message"]["content"]
    assert said == full[: full.index(stop)]
    assert reply["choices"][0]["finish_reason"] == "stop"
    assert reply["usage"]["completion_tokens"] == count(said)


def test_an_answer_ends_by_itself_unless_it_is_told_to_go_on(demo: DemoServer) -> None:
    alone = ask(demo, whole("plain", max_tokens=300)).json
    forced = ask(demo, whole("plain", max_tokens=150, ignore_eos=True)).json
    longer = ask(demo, whole("plain", max_tokens=300, min_tokens=100)).json
    assert alone["choices"][0]["finish_reason"] == "stop"
    assert forced["choices"][0]["finish_reason"] == "length"
    assert forced["usage"]["completion_tokens"] == 150
    assert 100 <= longer["usage"]["completion_tokens"] < 300


def test_what_does_not_fit_the_window_is_a_400_that_names_the_numbers(demo: DemoServer) -> None:
    reply = ask(demo, chat("slow-large", "word " * 32_000, max_tokens=800))
    assert (reply.status, reply.error["code"]) == (400, "context_length_exceeded")
    for number in ("32768", "32,0", "800"):
        assert number in reply.error["message"]
    assert truth_of(demo, reply).error == "context_length_exceeded"
    assert ask(demo, chat("slow-large", max_tokens=8_193)).error["param"] == "max_tokens"


def test_a_long_prompt_delays_the_first_token(demo: DemoServer) -> None:
    reply = ask(demo, whole("fast-small", "word " * 100_000, max_tokens=1))
    truth = truth_of(demo, reply)
    assert truth.input > 100_000
    assert (truth.sends[0] - truth.received_ns) / 1e6 > 600


def test_a_prefix_that_was_read_before_is_cached_and_a_nonce_in_front_prevents_it(
    demo: DemoServer,
) -> None:
    prompt = "harbour lights " * 2_000
    cold, warm, other = (
        ask(demo, whole("fast-small", text, max_tokens=1)).json["usage"]
        for text in (prompt + "one", prompt + "two", "nonce " + prompt)
    )
    cached = [u["prompt_tokens_details"]["cached_tokens"] for u in (cold, warm, other)]
    assert cached == [0, 4_000 // 128 * 128, 0]


def test_the_same_request_has_the_same_pace_on_another_server_with_the_same_seed() -> None:
    body = chat("jittery", "Explain seeds", max_tokens=12, temperature=0.7)

    def paces(seed: int) -> list[tuple[str, list[int], int]]:
        with DemoServer(seed=seed) as server:
            replies = [ask(server, body) for _ in range(2)]
            truths = [truth_of(server, reply) for reply in replies]
        return [
            (text(reply.body), [sent - truth.start_ns for sent in truth.sends], truth.late_ns)
            for reply, truth in zip(replies, truths, strict=True)
        ]

    with ThreadPoolExecutor(3) as pool:
        one, again, other = pool.map(paces, (7, 7, 8))
    for (said, sends, late), (said_again, sends_again, late_again) in zip(one, again, strict=True):
        assert said == said_again
        # A send is at its plan or later, by at most what the server says.
        assert sends == pytest.approx(sends_again, rel=0, abs=max(late, late_again))
    assert one[0][0] != other[0][0]
    assert one[0][0] != one[1][0], "a repetition has its own ordinal"


def test_a_temperature_of_0_or_a_seed_makes_repeated_answers_equal(demo: DemoServer) -> None:
    choices: list[dict[str, Any]] = [{"temperature": 0}, {"seed": 3}]
    for fixed in choices:
        said = {
            ask(demo, whole("plain", **fixed)).json["choices"][0]["message"]["content"]
            for _ in "ab"
        }
        assert len(said) == 1


def test_a_tool_call_streams_as_deltas_that_join_to_the_call(demo: DemoServer) -> None:
    reply = ask(demo, chat("plain", FORECAST, tools=[WEATHER]))
    parts = [delta["tool_calls"][0] for delta in deltas(reply.body) if "tool_calls" in delta]
    assert parts[0]["type"] == "function"
    assert parts[0]["function"] == {"name": "get_weather", "arguments": ""}
    assert all(part["index"] == 0 for part in parts)
    arguments = "".join(part["function"]["arguments"] for part in parts)
    assert json.loads(arguments) == {"city": "New York", "days": 3}
    assert finish(reply.body) == "tool_calls"
    truth = truth_of(demo, reply)
    assert (truth.tool, truth.mistake) == ("get_weather", None)
    assert sum(truth.tokens) == truth.output == count("get_weather") + count(arguments)


def test_a_tool_call_in_a_whole_answer(demo: DemoServer) -> None:
    choice = ask(demo, whole("plain", FORECAST, tools=[WEATHER])).json["choices"][0]
    call = choice["message"]["tool_calls"][0]
    assert choice["finish_reason"] == "tool_calls"
    assert choice["message"]["content"] is None
    assert json.loads(call["function"]["arguments"]) == {"city": "New York", "days": 3}


def test_a_tool_call_that_is_cut_short_says_so(demo: DemoServer) -> None:
    body = whole("plain", FORECAST, tools=[WEATHER], max_tokens=4)
    choice = ask(demo, body).json["choices"][0]
    assert choice["finish_reason"] == "length"
    with pytest.raises(json.JSONDecodeError):
        json.loads(choice["message"]["tool_calls"][0]["function"]["arguments"])


def test_after_the_tool_has_answered_the_model_says_what_it_was_told(demo: DemoServer) -> None:
    call = {
        "id": "call_1",
        "type": "function",
        "function": {"name": "get_weather", "arguments": "{}"},
    }
    messages: list[dict[str, Any]] = [
        {"role": "user", "content": FORECAST},
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "call_1", "content": "Fog, 9 degrees"},
    ]
    reply = ask(demo, {"model": "plain", "messages": messages, "tools": [WEATHER]})
    assert "Fog, 9 degrees" in reply.json["choices"][0]["message"]["content"]


def test_half_a_surrogate_pair_in_a_prompt_does_no_harm(demo: DemoServer) -> None:
    body = json.dumps(chat("plain", 'Say "@@"', tools=[WEATHER], tool_choice="required"))
    reply = ask(demo, body.replace("@@", "\\ud800").encode())
    assert (reply.status, finish(reply.body)) == (200, "tool_calls")


def test_streams_above_the_capacity_wait_and_the_truth_says_how_long(demo: DemoServer) -> None:
    capacity = catalog().models["slow-large"].capacity
    ready = threading.Barrier(capacity + 4)

    def one(number: int) -> Reply:
        ready.wait()
        return ask(demo, chat("slow-large", f"{number} Explain queues", max_tokens=2))

    with ThreadPoolExecutor(capacity + 4) as pool:
        truths = [truth_of(demo, reply) for reply in pool.map(one, range(capacity + 4))]
    waits = sorted((truth.start_ns - truth.received_ns) / 1e6 for truth in truths)
    assert waits[:capacity] == [0] * capacity
    assert all(wait > 200 for wait in waits[capacity:])


def test_the_flaky_model_fails_in_its_share_and_in_its_ways(demo: DemoServer) -> None:
    def one(number: int) -> Reply:
        return ask(demo, chat("flaky", f"{number} Explain luck", max_tokens=3))

    with ThreadPoolExecutor(30) as pool:
        scripts = [truth_of(demo, reply).script for reply in pool.map(one, range(120))]
    faults = catalog().models["flaky"].faults
    failed = [script for script in scripts if script != "plain"]
    assert len(failed) / 120 == pytest.approx(sum(faults.values()), abs=0.12)
    assert set(failed) == set(faults)
