"""The readers that are compared: the product's load generator, a plain aiohttp reader, and the
usual loop over `litellm.acompletion`. Each runs in a process of its own, so that its CPU
time is its own:
`python -m tests.bench.readers NAME BASE_URL STREAMS ROUNDS MAX_TOKENS SERVICE_S`.

All of them start their streams spread over one service time and keep that many open.
"""

from __future__ import annotations

import asyncio
import json
import resource
import sys
import time
from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass, field
from itertools import count
from typing import Any

from tests.bench.accuracy import Reading

PROMPT = "Explain recursion."
_SEED = 7


@dataclass(frozen=True, slots=True)
class Work:
    """What a reader has to do: `rounds` requests on each of `streams` streams."""

    base_url: str
    streams: int
    rounds: int
    max_tokens: int
    service_s: float


@dataclass(slots=True)
class Read:
    """What it saw. CPU seconds: of everything it did to send, read and decode; of that, of
    decoding (None where it cannot be told apart); and of the process that was told the
    results. `said` is what the load generator says of itself."""

    readings: list[Reading]
    cpu_s: float
    wall_s: float
    decode_s: float | None = None
    reporting_s: float = 0.0
    said: dict[str, Any] = field(default_factory=dict)


def studio(work: Work) -> Read:
    """The load generator as `studio bench --concurrency` runs it."""
    from engine.cancel import CancelToken
    from engine.events import LevelDone, SampleDone, SampleFailed
    from engine.samples import LevelKey
    from engine.specs import BenchmarkSpec, LoadSpec
    from engine.speed.load.runner import run_load
    from engine.speed.load.work import nonce_of
    from engine.speed.workload import Workload
    from engine.targets import Target

    target = Target(
        "bench", "m", "openai/m", work.base_url, "sk-bench", allow_private=True, simulated=True
    )
    load = LoadSpec(levels=(work.streams,), requests=work.streams * work.rounds)
    spec = BenchmarkSpec(
        targets=(target.ref,), prompt=PROMPT, max_tokens=work.max_tokens, seed=_SEED, load=load
    )
    workload = Workload(spec)
    nonces = workload.nonces(LevelKey("bench", "m", 0, f"c{work.streams}"))
    readings: list[Reading] = []
    done: LevelDone | None = None
    own = 0.0
    for event in run_load(spec, load, [target], cancel=CancelToken(), workload=workload):
        if isinstance(event, SampleFailed):
            raise RuntimeError(  # noqa: TRY004 - it is an event, and no answer
                f"{event.sample.error}: {event.sample.message}"
            )
        if isinstance(event, SampleDone) and event.sample.key.warmup:
            own = time.process_time()
        elif isinstance(event, SampleDone):
            sample = event.sample
            readings.append(
                Reading(
                    nonce_of(nonces, sample.key.run).decode(),
                    sample.start_ns,
                    [sample.start_ns + arrival.at_ns for arrival in sample.arrivals],
                    [arrival.tokens for arrival in sample.arrivals],
                    sample.tokens.output,
                    None if sample.ttfa_ms is None else _at(sample.start_ns, sample.ttfa_ms),
                    sample.tpot_ms,
                )
            )
        elif isinstance(event, LevelDone):
            done = event
            own = time.process_time() - own
    if done is None:
        raise RuntimeError("the level did not end")
    client = done.client
    return Read(readings, client.cpu_s, client.wall_s, client.decode_s, own, _plain(asdict(client)))


def _at(start_ns: int, after_ms: float) -> int:
    return start_ns + round(after_ms * 1e6)


def _plain(client: dict[str, Any]) -> dict[str, Any]:
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    return {**client, "peak_rss_mb": peak / 1024}


def _body(max_tokens: int, nonce: str) -> dict[str, Any]:
    return {
        "model": "m",
        "messages": [{"role": "user", "content": f"[{nonce}]\n{PROMPT}"}],
        "max_tokens": max_tokens,
        "stream": True,
        "stream_options": {"include_usage": True},
    }


async def _loop(work: Work, ask: Callable[[dict[str, Any]], Awaitable[Reading]]) -> Read:
    """Closed loop over `ask`, as anyone would write it; the first request warms up."""
    numbers = count(1)
    readings: list[Reading] = []

    async def stream(position: int) -> None:
        await asyncio.sleep(position * work.service_s / work.streams)
        for _ in range(work.rounds):
            nonce = f"{next(numbers):016x}"
            readings.append(await ask(_body(work.max_tokens, nonce)))

    await ask(_body(4, "f" * 16))
    cpu, wall = time.process_time(), time.monotonic()
    await asyncio.gather(*(stream(position) for position in range(work.streams)))
    return Read(readings, time.process_time() - cpu, time.monotonic() - wall)


def _nonce(body: dict[str, Any]) -> str:
    return str(body["messages"][0]["content"][1:17])


def aiohttp(work: Work) -> Read:
    """A plain reader: aiohttp's content iterator, one time a line with text."""
    import aiohttp as library

    async def ask(session: library.ClientSession, body: dict[str, Any]) -> Reading:
        times, sent = [], time.monotonic_ns()
        url = f"{work.base_url}/chat/completions"
        async with session.post(url, json=body) as response:
            async for line in response.content:
                if line.startswith(b"data: {") and _has_text(line):
                    times.append(time.monotonic_ns())  # noqa: PERF401 - a plain loop is meant
        return Reading(_nonce(body), sent, times, [1] * len(times))

    async def run() -> Read:
        connector = library.TCPConnector(limit=0)
        timeout = library.ClientTimeout(total=None)
        async with library.ClientSession(connector=connector, timeout=timeout) as session:
            return await _loop(work, lambda body: ask(session, body))

    return asyncio.run(run())


def _has_text(line: bytes) -> bool:
    choices = json.loads(line[6:])["choices"]
    return bool(choices and choices[0]["delta"].get("content"))


def litellm(work: Work) -> Read:
    """The usual loop: `litellm.acompletion(stream=True)`, one time a chunk with text."""
    from engine.llm.litellm_door import load

    library = load()

    async def ask(body: dict[str, Any]) -> Reading:
        times, sent = [], time.monotonic_ns()
        chunks = await library.acompletion(
            **{**body, "model": "openai/m"}, api_base=work.base_url, api_key="sk-bench"
        )
        async for chunk in chunks:
            if chunk.choices and chunk.choices[0].delta.content:
                times.append(time.monotonic_ns())  # noqa: PERF401 - a plain loop is meant
        return Reading(_nonce(body), sent, times, [1] * len(times))

    return asyncio.run(_loop(work, ask))


READERS: dict[str, Callable[[Work], Read]] = {
    "studio": studio,
    "aiohttp": aiohttp,
    "litellm": litellm,
}


def main(arguments: list[str]) -> None:
    """Read and print one JSON object."""
    name, base_url = arguments[:2]
    streams, rounds, max_tokens = map(int, arguments[2:5])
    read = READERS[name](Work(base_url, streams, rounds, max_tokens, float(arguments[5])))
    print(json.dumps(asdict(read)))


if __name__ == "__main__":
    main(sys.argv[1:])
