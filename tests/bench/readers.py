"""The readers that are compared: the product's own, a plain aiohttp reader, and the usual
loop over `litellm.acompletion`. Each runs in a process of its own, so that its CPU time is
its own: `python -m tests.bench.readers NAME BASE_URL MODEL STREAMS ROUNDS MAX_TOKENS`."""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import Callable
from typing import Any

from tests.bench.accuracy import Reading


def _body(model: str, index: int, max_tokens: int) -> dict[str, Any]:
    return {
        "model": model,
        "messages": [{"role": "user", "content": f"[{index:06d}] Explain recursion."}],
        "max_tokens": max_tokens,
        "stream": True,
        "stream_options": {"include_usage": True},
    }


async def studio(
    base_url: str, model: str, streams: int, rounds: int, max_tokens: int
) -> list[Reading]:
    """The product's reader: one kept connection a stream, as `engine.speed.runner` does it."""
    from concurrent.futures import ThreadPoolExecutor

    from engine.cancel import CancelToken
    from engine.llm.ask import Asker
    from engine.llm.request import ChatRequest
    from engine.quiet import short_slices
    from engine.samples import SampleKey
    from engine.speed.metrics import measure
    from engine.targets import Target

    target = Target("demo", model, f"openai/{model}", base_url, "sk-bench", allow_private=True)
    readings: list[Reading] = []

    async def stream(first: int, cpu: ThreadPoolExecutor) -> None:
        asker = Asker(target, cpu, CancelToken(), timeout_s=120, retries=0)
        for index in range(first, first + rounds):
            body = _body(model, index, max_tokens)
            asked = await asker.ask(ChatRequest(tuple(body["messages"]), max_tokens))
            key = SampleKey("demo", model, 0, index, False)
            sample = measure(key, asked, None, body["messages"][0]["content"])
            times = tuple(sample.start_ns + arrival.at_ns for arrival in sample.arrivals)
            readings.append(Reading(sample.start_ns, times, sample.tokens.output))
        asker.close()

    with short_slices(), ThreadPoolExecutor(1) as cpu:
        await asyncio.gather(*(stream(n * rounds, cpu) for n in range(streams)))
    return readings


async def aiohttp(
    base_url: str, model: str, streams: int, rounds: int, max_tokens: int
) -> list[Reading]:
    """A plain reader: aiohttp's content iterator, one time a line with data."""
    import aiohttp

    readings: list[Reading] = []

    async def stream(session: aiohttp.ClientSession, first: int) -> None:
        for index in range(first, first + rounds):
            times, sent = [], time.monotonic_ns()
            async with session.post(
                f"{base_url}/chat/completions", json=_body(model, index, max_tokens)
            ) as response:
                async for line in response.content:
                    if line.startswith(b"data: {") and _has_text(line):
                        times.append(time.monotonic_ns())  # noqa: PERF401 - a plain loop is meant
            readings.append(Reading(sent, tuple(times)))

    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(connector=connector) as session:
        await asyncio.gather(*(stream(session, n * rounds) for n in range(streams)))
    return readings


def _has_text(line: bytes) -> bool:
    choices = json.loads(line[6:])["choices"]
    return bool(choices and choices[0]["delta"].get("content"))


async def litellm(
    base_url: str, model: str, streams: int, rounds: int, max_tokens: int
) -> list[Reading]:
    """The usual loop: `litellm.acompletion(stream=True)`, one time a chunk with text."""
    from engine.llm.litellm_door import load

    library = load()
    readings: list[Reading] = []

    async def stream(first: int) -> None:
        for index in range(first, first + rounds):
            body = _body(model, index, max_tokens)
            times, sent = [], time.monotonic_ns()
            chunks = await library.acompletion(
                **{**body, "model": f"openai/{model}"}, api_base=base_url, api_key="sk-bench"
            )
            async for chunk in chunks:
                if chunk.choices and chunk.choices[0].delta.content:
                    times.append(time.monotonic_ns())  # noqa: PERF401 - a plain loop is meant
            readings.append(Reading(sent, tuple(times)))

    await asyncio.gather(*(stream(n * rounds) for n in range(streams)))
    return readings


READERS: dict[str, Callable[..., Any]] = {"studio": studio, "aiohttp": aiohttp, "litellm": litellm}


def main(arguments: list[str]) -> None:
    """Warm up with one request, then read; prints one JSON object."""
    name, base_url, model = arguments[:3]
    streams, rounds, max_tokens = map(int, arguments[3:6])
    reader = READERS[name]
    asyncio.run(reader(base_url, "plain", 1, 1, 4))
    cpu, wall = time.process_time(), time.monotonic()
    readings = asyncio.run(reader(base_url, model, streams, rounds, max_tokens))
    spent = {"cpu_s": time.process_time() - cpu, "wall_s": time.monotonic() - wall}
    print(
        json.dumps({**spent, "readings": [[r.sent_ns, r.arrivals_ns, r.tokens] for r in readings]})
    )


if __name__ == "__main__":
    main(sys.argv[1:])
