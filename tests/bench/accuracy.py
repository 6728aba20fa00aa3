"""How far what a reader says lies from what the endpoint logged."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tests.bench.endpoints import Pace, Truth


@dataclass(frozen=True, slots=True)
class Reading:
    """One stream as a reader saw it: its request's nonce, monotonic nanoseconds of the send and
    of each token event, the tokens of each event; the total it counted, the moment of the
    first answer token and its own time per output token (None where it says nothing)."""

    id: str
    sent_ns: int
    arrivals_ns: Sequence[int]
    tokens: Sequence[int]
    total: int | None = None
    answer_ns: int | None = None
    tpot_ms: float | None = None


@dataclass(frozen=True, slots=True)
class Accuracy:
    """Errors of a reader. Milliseconds and per cent are signed, but a p99 is of the size.

    TTFT is compared with (first send - kernel had the request); `noticed` is the same with
    the moment the endpoint read the request; `ttfa` of the first answer token; `tpot` is the
    size of the error of the reader's own figure. `lost` and `invented` are token events,
    `miscounted` requests whose total is wrong. `delivered` is the load while all streams
    were open, as a share of what an endpoint and a reader without any delay would do.
    `late_ms_p99` is the endpoint's own worst delay in a stream.
    """

    requests: int
    events: int
    ttft_ms_p50: float
    ttft_ms_p99: float
    noticed_ms_p50: float
    noticed_ms_p99: float
    itl_pct_p50: float
    itl_pct_mean: float
    lost: int
    invented: int
    miscounted: int
    ttfa_ms_p99: float | None
    tpot_pct_p50: float | None
    delivered: float | None
    chunks_per_s: float | None
    late_ms_p99: float


def accuracy_of(
    readings: Sequence[Reading], truth: Sequence[Truth], pace: Pace, streams: int
) -> Accuracy:
    """Match every reading with the record that carries its nonce and take the differences.
    Raises KeyError for a reading without a record; ValueError when a record was not read."""
    records = {record.id: record for record in truth}
    if len(records) != len(truth) or len(truth) != len(readings):
        raise ValueError(f"{len(readings)} readings for {len(truth)} records")
    pairs = [(reading, records[reading.id]) for reading in readings]
    first = [r.arrivals_ns[0] - r.sent_ns - t.sends[0] for r, t in pairs]
    ttft = [(delay + t.received_ns) / 1e6 for delay, (_, t) in zip(first, pairs, strict=True)]
    noticed = [(delay + t.noticed_ns) / 1e6 for delay, (_, t) in zip(first, pairs, strict=True)]
    missing = [len(t.sends) - len(r.arrivals_ns) for r, t in pairs]
    delivered, rate = _load(truth, pace, streams)
    return Accuracy(
        requests=len(pairs),
        events=sum(len(r.arrivals_ns) for r, _ in pairs),
        ttft_ms_p50=float(np.percentile(ttft, 50)),
        ttft_ms_p99=float(np.percentile(np.abs(ttft), 99)),
        noticed_ms_p50=float(np.percentile(noticed, 50)),
        noticed_ms_p99=float(np.percentile(np.abs(noticed), 99)),
        itl_pct_p50=float(np.percentile([_itl_error(pair, pace) for pair in pairs], 50)),
        itl_pct_mean=_pooled_error(pairs, pace),
        lost=sum(max(0, number) for number in missing),
        invented=sum(max(0, -number) for number in missing),
        miscounted=sum(r.total is not None and r.total != t.output for r, t in pairs),
        ttfa_ms_p99=_answer_error(pairs, pace),
        tpot_pct_p50=_tpot_error(pairs, pace),
        delivered=delivered,
        chunks_per_s=rate,
        late_ms_p99=float(np.percentile([t.late_ns for t in truth], 99)) / 1e6,
    )


def _generation(times: Sequence[int], tokens: int) -> tuple[int, int]:
    """Nanoseconds from the first event to the last, and the tokens after the first event."""
    return times[-1] - times[0], tokens


def _seen(reading: Reading) -> tuple[int, int]:
    return _generation(reading.arrivals_ns, sum(reading.tokens[1:]))


def _true(record: Truth, pace: Pace) -> tuple[int, int]:
    return _generation(record.sends, record.output - min(pace.per_event, record.output))


def _itl_error(pair: tuple[Reading, Truth], pace: Pace) -> float:
    return _pooled_error([pair], pace)


def _pooled_error(pairs: Sequence[tuple[Reading, Truth]], pace: Pace) -> float:
    """Mean time between tokens over all pairs: per cent that the readings lie above the truth."""
    seen = np.sum([_seen(reading) for reading, _ in pairs], axis=0)
    true = np.sum([_true(record, pace) for _, record in pairs], axis=0)
    return float(100.0 * ((seen[0] / seen[1]) / (true[0] / true[1]) - 1.0))


def _answer_error(pairs: Sequence[tuple[Reading, Truth]], pace: Pace) -> float | None:
    errors = [
        abs(r.answer_ns - r.sent_ns - (t.sends[pace.reasoning] - t.received_ns)) / 1e6
        for r, t in pairs
        if r.answer_ns is not None
    ]
    return float(np.percentile(errors, 99)) if errors else None


def _tpot_error(pairs: Sequence[tuple[Reading, Truth]], pace: Pace) -> float | None:
    errors = []
    for reading, record in pairs:
        span, tokens = _true(record, pace)
        if reading.tpot_ms is not None:
            errors.append(100.0 * abs(reading.tpot_ms / (span / tokens / 1e6) - 1.0))
    return float(np.percentile(errors, 50)) if errors else None


def _load(truth: Sequence[Truth], pace: Pace, streams: int) -> tuple[float | None, float | None]:
    """Load while all streams were open, by the endpoint's log: from the moment the last stream
    had begun to the moment the last request came. As a share of the ideal, and in events a
    second; None when that time is too short to tell."""
    received = sorted(record.received_ns for record in truth)
    if len(received) < 2 * streams:
        return None, None
    begin, end = received[streams - 1], received[-1]
    sends = np.concatenate([record.sends for record in truth])
    rate = float(np.count_nonzero((sends > begin) & (sends <= end))) / ((end - begin) / 1e9)
    tokens = truth[0].output
    ideal = streams * len(truth[0].sends) / pace.service_s(tokens)
    return rate / ideal, rate
