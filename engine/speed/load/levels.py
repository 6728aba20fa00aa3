"""One load level: shares for the processes, and what the level's report says of itself."""

from __future__ import annotations

import os
from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from engine.cancel import CancelToken
from engine.llm.request import PreparedRequest
from engine.samples import LevelClient
from engine.speed.levels import Level
from engine.speed.load.pool import GeneratorPool
from engine.speed.load.schedule import open_schedule, staggered
from engine.speed.load.work import Report, Share, Stream
from engine.targets import Target

# One process reads this many streams well; more are shared between processes.
STREAMS_A_PROCESS = 256
# A process that computes for more of its time than this cannot read on time.
BUSY_SHARE = 0.85
# Requests that wait longer and longer, by more than these shares of the level's time and of
# the wait at its beginning, say that the endpoint does not serve the rate.
GROWTH_SHARE, GROWTH_RATIO = 0.03, 0.5
# Fewer first tokens than this show no trend.
LEAST_FIRSTS = 20
# A dispatch delay beyond this share of the median first token is no longer noise.
DELAY_SHARE = 0.01
# More of the token events than this ran together because they were read too late.
MERGED_SHARE = 0.01
MOST_STREAMS = 2_048


def processes_for(level: Level, expected_streams: int) -> int:
    """Processes that a level wants, within the machine's cores."""
    streams = level.concurrency or expected_streams
    return max(1, min(-(-streams // STREAMS_A_PROCESS), os.cpu_count() or 1))


@dataclass(frozen=True, slots=True)
class Pressed:
    """What a level presses on: a target and how it is asked.

    `prepared` are requests whose bodies hold `work.NONCE`; each sending puts a nonce of its
    own there, which follows from `nonces`. `seed` decides the schedule. `service_s` is the
    time one request takes alone (from the warm-up), 0 when unknown; `estimates` says that the
    endpoint reports no usage; `text_chars` of each answer are kept.
    """

    target: Target
    prepared: Sequence[PreparedRequest]
    timeout_s: float
    seed: int
    nonces: int = 1
    service_s: float = 0.0
    estimates: bool = False
    text_chars: int = 200


@dataclass(frozen=True, slots=True)
class _Sent:
    """A request that was sent: when it was due, how much later it went, its first token."""

    planned_ns: int
    delay_ms: float
    ttft_ms: float | None


def run_level(
    pool: GeneratorPool, level: Level, pressed: Pressed, cancel: CancelToken
) -> Iterator[Stream | LevelClient]:
    """Run a level and yield its streams as they end, the generator's own report last.
    Raises GeneratorDied."""
    shares = _shares(level, pressed)
    streams: list[_Sent] = []
    reports: list[Report] = []
    for message in pool.run(shares, cancel):
        if isinstance(message, Report):
            reports.append(message)
        else:
            sample = message.sample
            if sample.start_ns:
                delay_ms = (sample.start_ns - message.planned_ns) / 1e6
                streams.append(_Sent(message.planned_ns, delay_ms, sample.ttft_ms))
            yield message
    client = _client(shares, streams, reports)
    if _together(level, pressed):
        client = replace(client, marks=(*client.marks, "started_together"))
    yield client


def _together(level: Level, pressed: Pressed) -> bool:
    """Whether nothing spread the first requests of a closed loop: they are sent at once, and
    without a warm-up nobody knew how long one takes."""
    alone = level.arrivals != "closed" or level.value == 1
    return not alone and not pressed.service_s and not level.ramp_s


def _shares(level: Level, pressed: Pressed) -> list[Share]:
    """Deal a level out by index: process p of n takes the requests p, p + n, p + 2n ..."""
    due: array[int] = array("q")
    if level.arrivals == "closed":
        total, slots = level.requests or 2**31, int(level.value)
    else:
        due = open_schedule(
            level.arrivals,
            level.value,
            requests=level.requests,
            duration_s=level.duration_s,
            seed=pressed.seed,
        )
        total = len(due)
        slots = max(1, min(total, MOST_STREAMS, int(1.5 * level.value * pressed.service_s) + 1))
    count = min(processes_for(level, slots), max(1, total))
    closed = level.arrivals == "closed"
    starts = staggered(slots, pressed.service_s, level.ramp_s) if closed else due
    bodies = tuple(request.wire_bytes() for request in pressed.prepared)
    return [
        Share(
            endpoint=pressed.prepared[0].endpoint,
            allow_private=pressed.target.allow_private,
            bodies=bodies,
            model=pressed.prepared[0].model,
            secrets=(pressed.target.api_key,),
            numbers=range(part, total, count),
            slots=len(range(part, slots, count)),
            most_streams=_most_streams(level, slots, count),
            timeout_s=pressed.timeout_s,
            due_ns=due[part::count],
            starts_ns=starts[part::count] if closed else array("q"),
            duration_s=level.duration_s,
            seed=pressed.nonces,
            estimates=pressed.estimates,
            text_chars=pressed.text_chars,
        )
        for part in range(count)
    ]


def _most_streams(level: Level, slots: int, count: int) -> int:
    streams = slots if level.arrivals == "closed" else MOST_STREAMS
    return -(-streams // count)


def _client(
    shares: Sequence[Share],
    streams: Sequence[_Sent],
    reports: Sequence[Report],
) -> LevelClient:
    delays = [stream.delay_ms for stream in streams]
    lags = [lag / 1e6 for report in reports for lag in report.lag_ns]
    firsts = [stream.ttft_ms for stream in streams if stream.ttft_ms is not None]
    open_loop = bool(shares[0].due_ns)
    unsent = sum(report.unsent for report in reports) if open_loop else 0
    client = LevelClient(
        processes=len(reports),
        planned=len(streams) + unsent,
        unsent=unsent,
        cpu_s=sum(report.cpu_s for report in reports),
        wall_s=max((report.wall_s for report in reports), default=0.0),
        cpu_share=max((report.cpu_s / max(report.wall_s, 1e-9) for report in reports), default=0.0),
        lag_ms_p99=float(np.percentile(lags, 99)) if lags else None,
        delay_ms_p99=float(np.percentile(delays, 99)) if delays else None,
        decode_s=sum(report.decode_s for report in reports),
    )
    marks = [*_marks(client, float(np.median(firsts)) if firsts else None)]
    if sum(r.merged for r in reports) > MERGED_SHARE * sum(r.events for r in reports):
        marks.append("late_reads")
    if open_loop and _piles_up(streams):
        marks.append("backlog")
    return replace(client, marks=tuple(marks))


def _piles_up(streams: Sequence[_Sent]) -> bool:
    """Whether first tokens came later and later after their requests were due."""
    waits = sorted((s.planned_ns, s.delay_ms + s.ttft_ms) for s in streams if s.ttft_ms is not None)
    if len(waits) < LEAST_FIRSTS:
        return False
    quarter = len(waits) // 4
    first, last = (
        float(np.median([wait for _, wait in part])) for part in (waits[:quarter], waits[-quarter:])
    )
    span_ms = (waits[-1][0] - waits[0][0]) / 1e6
    return last - first > max(GROWTH_SHARE * span_ms, GROWTH_RATIO * first)


def _marks(client: LevelClient, first_ms: float | None) -> Iterator[str]:
    if client.cpu_share > BUSY_SHARE:
        yield "generator_busy"
    if first_ms and client.delay_ms_p99 and client.delay_ms_p99 > DELAY_SHARE * first_ms:
        yield "late_dispatch"
    if client.unsent:
        yield "unsent"
