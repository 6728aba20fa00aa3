"""How far what a reader says lies from what the server logged."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from engine.demo.truth import Record


@dataclass(frozen=True, slots=True)
class Reading:
    """One stream as a reader saw it: monotonic nanoseconds of the send and of each token
    event, and the tokens it counted (None when it does not count)."""

    sent_ns: int
    arrivals_ns: tuple[int, ...]
    tokens: int | None = None


@dataclass(frozen=True, slots=True)
class Accuracy:
    """Errors of a reader at one level. Milliseconds and per cent are signed; CPU is of the
    reader's process, in microseconds for each token event."""

    reader: str
    streams: int
    requests: int
    ttft_error_p50_ms: float
    ttft_error_p99_ms: float
    itl_error_p50_pct: float
    itl_error_mean_pct: float
    cpu_us_per_event: float
    lost_events: int
    wrong_counts: int
    wall_s: float

    def row(self) -> dict[str, Any]:
        return asdict(self)


def accuracy_of(
    reader: str,
    streams: int,
    readings: Sequence[Reading],
    truth: Sequence[Record],
    cpu_s: float,
    wall_s: float,
) -> Accuracy:
    """Match every reading with the record of its request and take the differences.

    A reading belongs to the record whose request was received nearest to its send; the
    assignment goes by order of time, which is exact while requests do not overtake each
    other on loopback. Raises ValueError when their numbers differ.
    """
    records = sorted((r for r in truth if r.sends), key=lambda r: r.received_ns)
    seen = sorted(readings, key=lambda reading: reading.sent_ns)
    if len(records) != len(seen):
        raise ValueError(f"{reader}: {len(seen)} readings for {len(records)} records")
    first = [
        (r.arrivals_ns[0] - r.sent_ns - (t.sends[0] - t.received_ns)) / 1e6
        for r, t in zip(seen, records, strict=True)
    ]
    gaps = [
        100.0 * (_mean_gap(r.arrivals_ns) / _mean_gap(t.sends) - 1.0)
        for r, t in zip(seen, records, strict=True)
    ]
    events = sum(len(r.arrivals_ns) for r in seen)
    return Accuracy(
        reader=reader,
        streams=streams,
        requests=len(seen),
        ttft_error_p50_ms=float(np.percentile(first, 50)),
        ttft_error_p99_ms=float(np.percentile(first, 99)),
        itl_error_p50_pct=float(np.percentile(gaps, 50)),
        itl_error_mean_pct=float(np.mean(gaps)),
        cpu_us_per_event=1e6 * cpu_s / max(1, events),
        lost_events=sum(len(t.sends) for t in records) - events,
        wrong_counts=sum(
            r.tokens is not None and r.tokens != t.output
            for r, t in zip(seen, records, strict=True)
        ),
        wall_s=wall_s,
    )


def _mean_gap(times_ns: Sequence[int]) -> float:
    return (times_ns[-1] - times_ns[0]) / max(1, len(times_ns) - 1)
