"""OpenAI, Anthropic and Gemini from prompt to figures: LiteLLM writes the request, the demo
provider answers in the format, and its truth log says what was really sent."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import pytest

from engine.cancel import CancelToken
from engine.demo.process import DemoServer
from engine.demo.truth import Record
from engine.llm.ask import Asked, Asker
from engine.llm.prepare import prepare
from engine.llm.request import ChatRequest
from engine.samples import Sample, SampleKey
from engine.speed.levels import Level
from engine.speed.load.levels import Pressed, run_level
from engine.speed.load.pool import GeneratorPool
from engine.speed.load.work import NONCE, Stream
from engine.speed.metrics import measure
from engine.targets import Target

# Prefix → how the truth log's ids of that format begin.
FORMATS = {"openai": "chatcmpl-", "anthropic": "msg_", "gemini": ""}
SCRIPTS = (
    *("plain", "trap-role-only", "reasoning", "tool-call", "four-per-chunk"),
    *("utf8-split", "split-anywhere", "late-finish", "gzip"),
)
CASES = [(prefix, script) for prefix in FORMATS for script in SCRIPTS]
KEY = SampleKey("p", "m", 0, 0, False)
TOOL = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": "The weather of a city.",
        "parameters": {
            "type": "object",
            "properties": {"city": {"type": "string"}},
            "required": ["city"],
        },
    },
}


def target(demo: DemoServer, prefix: str, model: str) -> Target:
    base = f"http://127.0.0.1:{demo.port}" + ("/v1" if prefix == "openai" else "")
    key = f"sk-alice-{prefix}"
    return Target(prefix, model, f"{prefix}/{model}", base, key, allow_private=True)


def request_for(script: str) -> ChatRequest:
    tools = {"tools": [TOOL]} if script == "tool-call" else {}
    message = {"role": "user", "content": "What is the weather in Oslo?"}
    return ChatRequest((message,), max_tokens=40, extra=tools)


@dataclass(frozen=True)
class Answer:
    asked: Asked
    sample: Sample
    record: Record


@pytest.fixture(scope="module")
def answers(demo: DemoServer) -> dict[tuple[str, str], Answer]:
    """Every script in every format, four at a time over the sequential path."""

    async def one(prefix: str, script: str, cpu: ThreadPoolExecutor, turn: Any) -> Asked:
        asker = Asker(target(demo, prefix, script), cpu, CancelToken(), timeout_s=20, retries=0)
        async with turn:
            try:
                return await asker.ask(request_for(script))
            finally:
                asker.close()

    async def every(cases: Sequence[tuple[str, str]]) -> list[Asked]:
        turn = asyncio.Semaphore(4)
        with ThreadPoolExecutor(1) as cpu:
            return await asyncio.gather(*(one(*case, cpu, turn) for case in cases))

    # LiteLLM's import, and the kernel's first stamps, belong to no sample.
    asyncio.run(every([(prefix, "plain") for prefix in FORMATS]))
    before = len(demo.truth())
    found = asyncio.run(every(CASES))
    records = demo.truth()[before:]
    return {
        case: Answer(asked, measure(KEY, asked, None, ""), _record(records, *case))
        for case, asked in zip(CASES, found, strict=True)
    }


def _record(records: Sequence[Record], prefix: str, script: str) -> Record:
    other = tuple(start for start in FORMATS.values() if start)
    start = FORMATS[prefix]
    (found,) = (
        record
        for record in records
        if record.script == script
        and (record.id.startswith(start) if start else not record.id.startswith(other))
    )
    return found


@pytest.mark.parametrize("case", CASES, ids="-".join)
def test_every_token_is_counted_and_none_invented(
    case: tuple[str, str], answers: dict[tuple[str, str], Answer]
) -> None:
    answer = answers[case]
    sample, record = answer.sample, answer.record
    assert sample.outcome == "ok", sample.message
    assert sample.tokens.source == "usage"
    assert (sample.tokens.input, sample.tokens.output) == (record.input, record.output)
    assert sum(arrival.tokens for arrival in sample.arrivals) == sum(record.tokens)
    assert len(sample.arrivals) == len(record.sends)


@pytest.mark.parametrize("case", CASES, ids="-".join)
def test_times_are_those_of_the_truth_log(
    case: tuple[str, str], answers: dict[tuple[str, str], Answer]
) -> None:
    sample, record = answers[case].sample, answers[case].record
    assert record.first_ns is not None
    late_ms = [
        (sample.start_ns + arrival.at_ns - sent) / 1e6
        for arrival, sent in zip(sample.arrivals, record.sends, strict=True)
    ]
    # Nothing is read before it was sent. How much later belongs to a shared machine, but for
    # the best of the reads: an event that took another one's time would be 2 ms off.
    assert min(late_ms) > -0.5
    assert min(late_ms) < 1.0
    first_said = record.sends[min(record.reasoning_sends, len(record.sends) - 1)]
    truth = {"ttft_ms": record.first_ns, "ttfa_ms": first_said, "e2e_ms": record.sends[-1]}
    for name, sent in truth.items():
        late = getattr(sample, name) - (sent - sample.start_ns) / 1e6
        assert -0.5 < late <= max(late_ms) + 0.001, name


def test_first_tokens_are_read_within_a_millisecond_or_so(
    answers: dict[tuple[str, str], Answer],
) -> None:
    errors = [
        (a.sample.ttft_ms or 0) - ((a.record.first_ns or 0) - a.sample.start_ns) / 1e6
        for a in answers.values()
    ]
    assert sorted(errors)[len(errors) // 3] < 1.5


@pytest.mark.parametrize("prefix", FORMATS)
def test_a_tool_call_arrives_whole(prefix: str, answers: dict[tuple[str, str], Answer]) -> None:
    answer = answers[prefix, "tool-call"]
    assert answer.asked.decoded is not None
    (call,) = answer.asked.decoded.tool_calls
    assert call["name"] == answer.record.tool == "get_weather"
    assert set(json.loads(call["arguments"])) == {"city"}
    assert answer.asked.decoded.finish_reason == "tool_calls"


def test_the_same_answer_is_read_in_all_three_formats(
    answers: dict[tuple[str, str], Answer],
) -> None:
    for script in SCRIPTS:
        texts = {prefix: answers[prefix, script].sample.text for prefix in FORMATS}
        finishes = {answers[prefix, script].sample.finish_reason for prefix in FORMATS}
        assert len(finishes) == 1, script
        if script == "utf8-split":
            assert len(set(texts.values())) == 1
            assert "東京" in texts["gemini"]


@pytest.fixture(scope="module")
def pressed(demo: DemoServer) -> dict[str, tuple[list[Sample], list[Record]]]:
    """Twelve requests on four streams in each format, through a generator process."""
    found = {}
    with GeneratorPool(1) as pool:
        for prefix in FORMATS:
            before = len(demo.truth())
            asked = target(demo, prefix, "plain")
            text = f"[{NONCE}] Tell me of tides."
            prompt = ChatRequest(({"role": "user", "content": text},), max_tokens=40)
            level = Level("closed", 4, 12)
            told = run_level(
                pool, level, Pressed(asked, [prepare(asked, prompt)], 20.0, 7), CancelToken()
            )
            samples = [m.sample for m in told if isinstance(m, Stream)]
            arrivals = [m for m in samples if m.ok]
            found[prefix] = (arrivals, demo.truth()[before:])
    return found


@pytest.mark.parametrize("prefix", FORMATS)
def test_the_load_generator_reads_the_format_as_exactly(
    prefix: str, pressed: dict[str, tuple[list[Sample], list[Record]]]
) -> None:
    samples, records = pressed[prefix]
    assert len(samples) == len(records) == 12
    assert sorted(s.tokens.output or 0 for s in samples) == sorted(r.output for r in records)
    assert sorted(s.tokens.input or 0 for s in samples) == sorted(r.input for r in records)
    errors = []
    for sample in samples:
        record = min(records, key=lambda r: abs(r.received_ns - sample.start_ns))
        errors.append((sample.ttft_ms or 0) - ((record.first_ns or 0) - sample.start_ns) / 1e6)
    assert min(errors) > -0.5
    # The best of twelve: how much later the others are belongs to a shared machine.
    assert min(errors) < 1.0
    assert all(sample.clock in ("kernel", "read") and sample.tpot_ms for sample in samples)
