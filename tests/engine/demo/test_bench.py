"""The bench model: exact pace, a truth that tells whose it is, and a queue."""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import Any
from urllib.parse import urlsplit

import pytest

from engine.demo.bench import frames_of
from tests.bench.endpoints import COMPILER, DEMO, EXACT, Pace, Served, serving

MS = 1_000_000
PACE = Pace(first_ms=30.0, gap_ms=5.0, per_event=2, finish_ms=20.0, capacity=2)
KINDS = [DEMO, EXACT] if COMPILER else [DEMO]


@pytest.fixture(scope="module", params=KINDS)
def served(request: pytest.FixtureRequest) -> Iterator[Served]:
    """The bench model, and the bench's independent endpoint: they keep the same promises."""
    with serving(request.param, PACE) as served:
        yield served


def ask(served: Served, nonce: str, max_tokens: int = 7) -> list[dict[str, Any]]:
    """The chunks of a whole answer."""
    connection = http.client.HTTPConnection(urlsplit(served.root).netloc, timeout=10)
    question = {"messages": [{"role": "user", "content": f"[{nonce}] Hello"}]}
    body = json.dumps({**question, "max_tokens": max_tokens, "stream": True})
    connection.request("POST", "/v1/chat/completions", body)
    answer = connection.getresponse()
    assert answer.status == 200
    events = answer.read().decode().split("\n\n")
    connection.close()
    assert events[-2:] == ["data: [DONE]", ""]
    return [json.loads(event.removeprefix("data: ")) for event in events[:-2]]


def test_an_answer_has_its_tokens_an_end_and_a_usage(served: Served) -> None:
    chunks = ask(served, "a" * 16)
    texts = [c["choices"][0]["delta"].get("content") for c in chunks if c["choices"]]
    assert len([text for text in texts if text]) == 4
    assert sum(len(text.split()) for text in texts if text) == 7
    assert chunks[-2]["choices"][0]["finish_reason"] == "stop"
    assert chunks[-1]["usage"]["completion_tokens"] == 7


def test_nothing_is_sent_before_its_time_and_the_lateness_is_told(served: Served) -> None:
    served.truth()
    ask(served, "b" * 16)
    (record,) = served.truth()
    due = [record.start_ns + int(at * MS) for at in (30, 35, 40, 45)]
    late = [sent - when for sent, when in zip(record.sends, due, strict=True)]
    assert all(delay >= 0 for delay in late)
    assert record.end_ns >= due[-1] + 20 * MS
    assert record.late_ns >= max(late)
    assert record.start_ns == record.received_ns <= record.noticed_ns


def test_the_truth_tells_streams_apart_by_their_nonce_and_is_told_once(served: Served) -> None:
    served.truth()
    for nonce in ("0123456789abcdef", "fedcba9876543210"):
        ask(served, nonce)
    assert [record.id for record in served.truth()] == ["0123456789abcdef", "fedcba9876543210"]
    assert served.truth() == []


def test_requests_above_the_capacity_wait_their_turn(served: Served) -> None:
    served.truth()
    with ThreadPoolExecutor(4) as threads:
        list(threads.map(lambda number: ask(served, f"{number:016x}"), range(4)))
    records = sorted(served.truth(), key=lambda record: record.start_ns)
    starts = sorted(record.start_ns for record in records)
    ends = sorted(record.end_ns for record in records)
    assert all(record.start_ns >= record.received_ns for record in records)
    assert starts[2] >= ends[0]
    assert starts[3] >= ends[1]


def test_a_client_that_leaves_frees_its_place(served: Served) -> None:
    served.truth()
    for number in range(3):
        connection = http.client.HTTPConnection(urlsplit(served.root).netloc, timeout=10)
        body = json.dumps({"messages": [{"content": f"{number:016x}"}], "max_tokens": 4_000})
        connection.request("POST", "/v1/chat/completions", body)
        connection.getresponse().read(20)
        connection.close()
    ask(served, "c" * 16)
    assert [record.id for record in served.truth()] == ["c" * 16]


def test_frames_are_whole_chunks_of_the_transfer_coding() -> None:
    frames = frames_of(tokens=5, per_event=2, prompt_tokens=9)
    assert len(frames) == 4
    for frame, after in pairwise([*frames, b""]):
        size, _, rest = frame.partition(b"\r\n")
        assert rest[int(size, 16) :].startswith(b"\r\n")
        assert rest[: int(size, 16)].endswith(b"\n\n")
        assert (b"0\r\n\r\n" in frame) == (not after)
