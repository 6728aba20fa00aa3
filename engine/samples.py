"""A sample: one measured request, its times and its tokens (measurement.md, section 2)."""

from __future__ import annotations

import sys
import zlib
from array import array
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import accumulate, chain
from operator import sub
from typing import Literal, NamedTuple, overload

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
    """What makes a sample unique inside its run; `run` counts from 0. `level` is the load
    level it belongs to ("c64", "r12.5"), "" for a sequential sample."""

    provider: str
    model: str
    context_tokens: int
    run: int
    warmup: bool
    level: str = ""


class LevelKey(NamedTuple):
    """A load level of a target at a context size."""

    provider: str
    model: str
    context_tokens: int
    level: str


class Arrival(NamedTuple):
    """One token event: nanoseconds after `t_send`, and the tokens it carried (0 = unknown)."""

    at_ns: int
    tokens: int


class Arrivals(Sequence[Arrival]):
    """Token events as they come back from storage: equal to the tuple they were, at 12 bytes
    an event. `times_ns` and `counts` are their columns."""

    __slots__ = ("counts", "times_ns")

    def __init__(self, times_ns: array[int], counts: array[int]) -> None:
        self.times_ns, self.counts = times_ns, counts

    @classmethod
    def of(cls, arrivals: Iterable[Arrival]) -> Arrivals:
        """The same events in columns."""
        pairs = tuple(arrivals)
        return cls(array("q", [a.at_ns for a in pairs]), array("I", [a.tokens for a in pairs]))

    def __len__(self) -> int:
        return len(self.times_ns)

    @overload
    def __getitem__(self, index: int) -> Arrival: ...

    @overload
    def __getitem__(self, index: slice) -> Arrivals: ...

    def __getitem__(self, index: int | slice) -> Arrival | Arrivals:
        if isinstance(index, slice):
            return Arrivals(self.times_ns[index], self.counts[index])
        return Arrival(self.times_ns[index], self.counts[index])

    def __eq__(self, other: object) -> bool:
        if isinstance(other, Arrivals):
            return self.times_ns == other.times_ns and self.counts == other.counts
        return isinstance(other, tuple) and tuple(self) == other

    def __hash__(self) -> int:
        return hash(tuple(self))

    def __repr__(self) -> str:
        return f"Arrivals({tuple(self)!r})"


@dataclass(frozen=True, slots=True)
class Try:
    """One attempt that was retried: why, and the wait before the next, in seconds."""

    error: str
    message: str
    waited_s: float


@dataclass(frozen=True, slots=True)
class Tokens:
    """Token counts; None is unknown. `source` says who counted.

    Of `input`, `cached` was read from a prefix cache and `cache_write` written into one,
    `cache_write_1h` of that for an hour; of `output`, `reasoning` was thought.
    """

    input: int | None = None
    output: int | None = None
    reasoning: int | None = None
    cached: int | None = None
    source: TokenSource = "none"
    cache_write: int | None = None
    cache_write_1h: int | None = None


@dataclass(frozen=True, slots=True)
class Sample:
    """One request as measured. Times are milliseconds, rates tokens per second.

    `start_ns` is `t_send` on the monotonic clock, `started_at` the same moment as UTC
    epoch seconds. `delay_ms` is how much later it was sent than a load schedule planned; None
    without a plan. A figure that could not be measured is None. `clock` is "kernel",
    "read" or "library" (measurement.md, section 1). `bundled` says that events carried
    several tokens whose number had to be estimated; the true time per output token then lies
    between `tpot_low_ms` and `tpot_high_ms`, which are None for any other sample.
    `prompt_index` is the place of its prompt in a set (or of its drawn lengths); `recall` says
    whether the answer held the fact that was hidden in the context. Both are None without.
    """

    key: SampleKey
    outcome: Outcome
    error: str | None = None
    message: str | None = None
    tries: tuple[Try, ...] = ()
    start_ns: int = 0
    started_at: float = 0.0
    delay_ms: float | None = None
    connect_ms: float | None = None
    tls_ms: float | None = None
    ttft_ms: float | None = None
    ttfa_ms: float | None = None
    e2e_ms: float | None = None
    total_ms: float | None = None
    tpot_ms: float | None = None
    tpot_low_ms: float | None = None
    tpot_high_ms: float | None = None
    output_tps: float | None = None
    e2e_tps: float | None = None
    input_tps: float | None = None
    tokens: Tokens = field(default_factory=Tokens)
    cost_usd: float | None = None
    clock: str = "read"
    bundled: bool = False
    finish_reason: str | None = None
    prompt_index: int | None = None
    recall: bool | None = None
    text: str = ""
    arrivals: Sequence[Arrival] = ()

    @property
    def ok(self) -> bool:
        return self.outcome == "ok"

    @property
    def scheduled_ttft_ms(self) -> float | None:
        """First token after the moment the request was due: what a user waits whose request
        had to queue before it could be sent."""
        return _sum(self.delay_ms, self.ttft_ms)

    @property
    def scheduled_e2e_ms(self) -> float | None:
        """Last token after the moment the request was due."""
        return _sum(self.delay_ms, self.e2e_ms)


def _sum(one: float | None, other: float | None) -> float | None:
    return None if one is None or other is None else one + other


@dataclass(frozen=True, slots=True)
class LevelClient:
    """The load generator's honesty about one level.

    CPU seconds are of all its processes, over sending, reading and decoding, `decode_s` of that
    for decoding; `cpu_share` is the busiest process's share of the wall time. Lags (how late a
    read came after its bytes) and delays (how late a request was sent) are milliseconds.
    `marks` are stable words: generator_busy, late_reads (so late that token events ran
    together), late_dispatch, unsent, started_together; and backlog, which is the endpoint's
    doing: it did not serve the rate, and first tokens came later and later.
    """

    processes: int
    planned: int
    unsent: int
    cpu_s: float
    wall_s: float
    cpu_share: float
    lag_ms_p99: float | None
    delay_ms_p99: float | None
    marks: tuple[str, ...] = ()
    decode_s: float | None = None

    @property
    def saturated(self) -> bool:
        """Whether the generator, not the endpoint, may have set the figures."""
        return not {"generator_busy", "late_reads"}.isdisjoint(self.marks)


def pack_arrivals(arrivals: Sequence[Arrival]) -> bytes:
    """Compact, lossless blob: first-order differences as int64, then tokens as uint32."""
    seen = arrivals if isinstance(arrivals, Arrivals) else Arrivals.of(arrivals)
    times = array("q", map(sub, seen.times_ns, chain((0,), seen.times_ns)))
    counts = seen.counts[:]
    if sys.byteorder == "big":
        times.byteswap()
        counts.byteswap()
    return zlib.compress(times.tobytes() + counts.tobytes(), 1)


def unpack_arrivals(blob: bytes) -> Arrivals:
    """The inverse of `pack_arrivals`."""
    raw = zlib.decompress(blob)
    steps, counts = array("q"), array("I")
    split = len(raw) // (steps.itemsize + counts.itemsize) * steps.itemsize
    steps.frombytes(raw[:split])
    counts.frombytes(raw[split:])
    if sys.byteorder == "big":
        steps.byteswap()
        counts.byteswap()
    return Arrivals(array("q", accumulate(steps)), counts)
