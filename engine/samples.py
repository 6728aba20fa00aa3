"""A sample: one measured request, its times and its tokens (measurement.md, section 2)."""

from __future__ import annotations

import sys
import zlib
from array import array
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

Outcome = Literal["ok", "failed", "incomplete"]
TokenSource = Literal["usage", "tokenizer", "estimate", "chunks", "none"]
ERROR_KINDS = (
    "auth",
    "rate_limited",
    "timeout",
    "connect",
    "server",
    "bad_request",
    "content_filter",
    "empty_output",
    "stream_broken",
    "unsupported",
)


class SampleKey(NamedTuple):
    """What makes a sample unique inside its run; `run` counts from 0."""

    provider: str
    model: str
    context_tokens: int
    run: int
    warmup: bool


class Arrival(NamedTuple):
    """One token event: nanoseconds after `t_send`, and the tokens it carried (0 = unknown)."""

    at_ns: int
    tokens: int


@dataclass(frozen=True, slots=True)
class Try:
    """One attempt that was retried: why, and the wait before the next, in seconds."""

    error: str
    message: str
    waited_s: float


@dataclass(frozen=True, slots=True)
class Tokens:
    """Token counts; None is unknown. `source` says who counted."""

    input: int | None = None
    output: int | None = None
    reasoning: int | None = None
    cached: int | None = None
    source: TokenSource = "none"


@dataclass(frozen=True, slots=True)
class Sample:
    """One request as measured. Times are milliseconds, rates tokens per second.

    `start_ns` is `t_send` on the monotonic clock, `started_at` the same moment as UTC
    epoch seconds. A figure that could not be measured is None. `clock` is "kernel",
    "read" or "library" (measurement.md, section 1). `bundled` says that events carried
    several tokens whose number had to be estimated.
    """

    key: SampleKey
    outcome: Outcome
    error: str | None = None
    message: str | None = None
    tries: tuple[Try, ...] = ()
    start_ns: int = 0
    started_at: float = 0.0
    connect_ms: float | None = None
    tls_ms: float | None = None
    ttft_ms: float | None = None
    ttfa_ms: float | None = None
    e2e_ms: float | None = None
    total_ms: float | None = None
    tpot_ms: float | None = None
    output_tps: float | None = None
    e2e_tps: float | None = None
    input_tps: float | None = None
    tokens: Tokens = field(default_factory=Tokens)
    cost_usd: float | None = None
    clock: str = "read"
    bundled: bool = False
    finish_reason: str | None = None
    text: str = ""
    arrivals: tuple[Arrival, ...] = ()

    @property
    def ok(self) -> bool:
        return self.outcome == "ok"


def pack_arrivals(arrivals: tuple[Arrival, ...]) -> bytes:
    """Compact, lossless blob: first-order differences as int64, then tokens as uint32."""
    times, counts, last = array("q"), array("I"), 0
    for at_ns, tokens in arrivals:
        times.append(at_ns - last)
        counts.append(tokens)
        last = at_ns
    if sys.byteorder == "big":
        times.byteswap()
        counts.byteswap()
    return zlib.compress(times.tobytes() + counts.tobytes(), 6)


def unpack_arrivals(blob: bytes) -> tuple[Arrival, ...]:
    """The inverse of `pack_arrivals`."""
    raw = zlib.decompress(blob)
    times, counts = array("q"), array("I")
    split = len(raw) // (times.itemsize + counts.itemsize) * times.itemsize
    times.frombytes(raw[:split])
    counts.frombytes(raw[split:])
    if sys.byteorder == "big":
        times.byteswap()
        counts.byteswap()
    arrivals, at = [], 0
    for delta, tokens in zip(times, counts, strict=True):
        at += delta
        arrivals.append(Arrival(at, tokens))
    return tuple(arrivals)
