"""Result rows: what the samples of one target at one context size add up to."""

from __future__ import annotations

import hashlib
import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

from engine.samples import LevelClient, LevelKey, Sample, Tokens, TokenSource
from engine.specs import BenchmarkSpec, LoadSpec
from engine.speed.levels import Level, levels_of
from engine.speed.plan import skip_notice
from engine.speed.steady import Window, answers_within, steady, tokens_within
from engine.stats import Interval, Summary, describe, pooled_itl, tukey_outliers, wilson
from engine.targets import Target

# Provider, model, context tokens and load level ("" for a sequential run).
Where = LevelKey

# Figures of a sample that a result summarises; `itl_ms` is pooled from arrivals.
METRICS = (
    "ttft_ms",
    "ttfa_ms",
    "itl_ms",
    "tpot_ms",
    "e2e_ms",
    "output_tps",
    "e2e_tps",
    "input_tps",
    "scheduled_ttft_ms",
    "scheduled_e2e_ms",
)

# From the most to the least trusted; a total is as trusted as its worst part.
_SOURCES: tuple[TokenSource, ...] = ("usage", "tokenizer", "estimate", "chunks", "none")
_SAMPLE_FIELDS = (
    *("error", "message", "start_ns", "started_at", "connect_ms", "tls_ms", "ttft_ms", "ttfa_ms"),
    *(
        "e2e_ms",
        "total_ms",
        "tpot_ms",
        "tpot_low_ms",
        "tpot_high_ms",
        "output_tps",
        "e2e_tps",
        "input_tps",
        "cost_usd",
        "clock",
    ),
    *("bundled", "finish_reason", "delay_ms", "prompt_index", "recall"),
)


@dataclass(frozen=True, slots=True)
class Requests:
    """How requests ended."""

    ok: int = 0
    failed: int = 0
    incomplete: int = 0

    @property
    def total(self) -> int:
        return self.ok + self.failed + self.incomplete


@dataclass(frozen=True, slots=True)
class Client:
    """The load generator's own state: CPU seconds of send, read and decode; p99 of how late
    it read what had arrived and of how late it sent what was due, in ms; whether it was
    saturated; and its marks (`engine.samples.LevelClient`). None where not measured."""

    cpu_s: float | None = None
    lag_ms_p99: float | None = None
    saturated: bool | None = None
    delay_ms_p99: float | None = None
    marks: tuple[str, ...] = ()

    @classmethod
    def of(cls, level: LevelClient) -> Client:
        """The part of a level's report that stands in its result."""
        return cls(level.cpu_s, level.lag_ms_p99, level.saturated, level.delay_ms_p99, level.marks)


@dataclass(frozen=True, slots=True)
class Goodput:
    """Requests that met the service level objective: their share among all requests that
    were measured, its 95 % Wilson interval, and how many a second. None without an SLO."""

    share: float | None = None
    ci95: Interval = (None, None)
    per_s: float | None = None


@dataclass(frozen=True, slots=True)
class Recall:
    """Of `n` answers that could be looked at, the share that held the hidden fact, with its
    95 % Wilson interval; None where nothing was asked for."""

    share: float | None = None
    ci95: Interval = (None, None)
    n: int = 0


@dataclass(frozen=True, slots=True)
class Result:
    """One target at one context size (and, for load, one level).

    Every figure but the counts is over the ok samples. `tokens` are totals; `cost_usd` is
    their cost, None as soon as one is unknown. `duration_s` is the time during which at
    least one of these requests was open, so models measured in turn do not slow each other
    down; `system_output_tps` and `requests_per_s` divide by it, those of a load level by the
    part in which it ran at full strength (`engine.speed.steady`). `clock` is the clock of the
    samples, "mixed" when they differ. `bundled` of the ok samples had events of several
    tokens; if any had, the true median of `tpot_ms` lies within `tpot_bounds_ms`. `outliers`
    are positions in `samples`. Warm-ups are only counted, in `warmups`. `prompts` names the set
    of prompts: samples of two results with the same one belong together by `prompt_index`.
    """

    provider: str
    model: str
    label: str
    provider_label: str
    simulated: bool
    context_tokens: int
    requests: Requests
    warmups: Requests
    retries: int
    errors: dict[str, int]
    error_rate: Interval
    tokens: Tokens
    ttft_ms: Summary
    ttfa_ms: Summary
    itl_ms: Summary
    tpot_ms: Summary
    e2e_ms: Summary
    output_tps: Summary
    e2e_tps: Summary
    input_tps: Summary
    scheduled_ttft_ms: Summary
    scheduled_e2e_ms: Summary
    outliers: dict[str, list[int]]
    system_output_tps: float | None
    requests_per_s: float | None
    duration_s: float | None
    cost_usd: float | None
    clock: Literal["kernel", "read", "library", "mixed"] | None
    bundled: int
    tpot_bounds_ms: Interval
    client: Client
    goodput: Goodput
    recall: Recall
    samples: tuple[Sample, ...]
    concurrency: int | None = 1
    rate: float | None = None
    level: str = ""
    prompts: str = ""

    @property
    def ok(self) -> tuple[Sample, ...]:
        """The samples all figures are made of."""
        return tuple(sample for sample in self.samples if sample.ok)

    def values(self, metric: str) -> list[float]:
        """A figure of every ok sample that has it, in the order of the samples."""
        found = (getattr(sample, metric) for sample in self.ok)
        return [value for value in found if value is not None]

    def as_dict(self) -> dict[str, Any]:
        """The row of `studio.bench/1`: full values, None as null, never NaN."""
        row: dict[str, Any] = {name: getattr(self, name) for name in self.__slots__}
        row |= {name: getattr(self, name).as_dict() for name in METRICS}
        row |= {name: asdict(getattr(self, name)) for name in _RECORDS}
        row["error_rate"] = list(self.error_rate)
        row["tpot_bounds_ms"] = list(self.tpot_bounds_ms)
        row["client"]["marks"] = list(self.client.marks)
        row["goodput"]["ci95"] = list(self.goodput.ci95)
        row["recall"]["ci95"] = list(self.recall.ci95)
        row["samples"] = [sample_row(sample) for sample in self.samples]
        return row


_RECORDS = ("requests", "warmups", "tokens", "client", "goodput", "recall")


def sample_row(sample: Sample) -> dict[str, Any]:
    """One sample as JSON carries it; its text and arrival times stay where it is stored."""
    return {
        "run": sample.key.run,
        "ok": sample.ok,
        "outcome": sample.outcome,
        **{name: getattr(sample, name) for name in _SAMPLE_FIELDS},
        "tokens": asdict(sample.tokens),
        "tries": [asdict(item) for item in sample.tries],
    }


def results(
    samples: Iterable[Sample],
    targets: Sequence[Target],
    spec: BenchmarkSpec,
    clients: Mapping[Where, Client] | None = None,
) -> list[Result]:
    """One result for each target, context size and load level of the spec, in their order,
    also where nothing is measured yet; a size that a target's window cannot hold is left out.

    `clients` holds the generator's figures by level.
    """
    groups: dict[Where, list[Sample]] = {}
    for sample in samples:
        key = sample.key
        where = LevelKey(key.provider, key.model, key.context_tokens, key.level)
        groups.setdefault(where, []).append(sample)
    return [
        _result(target, size, level, groups, clients or {}, spec)
        for target in targets
        for size in spec.context_tiers
        if skip_notice(spec, target, size) is None
        for level in _levels(spec)
    ]


def _levels(spec: BenchmarkSpec) -> Sequence[Level | None]:
    return levels_of(spec.load) if spec.load else (None,)


def _result(
    target: Target,
    size: int,
    level: Level | None,
    groups: Mapping[Where, Sequence[Sample]],
    clients: Mapping[Where, Client],
    spec: BenchmarkSpec,
) -> Result:
    where = LevelKey(target.provider, target.model, size, level.label if level else "")
    taken = groups.get(where, ())
    measured = tuple(sample for sample in taken if not sample.key.warmup)
    ok = [sample for sample in measured if sample.ok]
    requests, tokens, duration_s = _requests(measured), _tokens(ok), _open_s(measured)
    window = steady(measured, level.concurrency) if level else None
    summaries: dict[str, Any] = {
        metric: describe(getattr(sample, metric) for sample in ok)
        for metric in METRICS
        if metric != "itl_ms"
    }
    clocks = {sample.clock for sample in ok}
    clock: Any = clocks.pop() if len(clocks) == 1 else "mixed" if clocks else None
    return Result(
        provider=target.provider,
        model=target.model,
        label=target.label or target.model,
        provider_label=target.provider_label or target.provider,
        simulated=target.simulated,
        context_tokens=size,
        requests=requests,
        warmups=_requests(s for s in groups.get(where._replace(level=""), ()) if s.key.warmup),
        retries=sum(len(sample.tries) for sample in measured),
        errors=dict(Counter(s.error or "unknown" for s in measured if not s.ok).most_common()),
        error_rate=wilson(requests.total - requests.ok, requests.total),
        tokens=tokens,
        itl_ms=pooled_itl(sample.arrivals for sample in ok),
        outliers={metric: _outliers(measured, metric) for metric in ("ttft_ms", "output_tps")},
        system_output_tps=_tokens_per_s(tokens, ok, duration_s, window),
        requests_per_s=_requests_per_s(ok, duration_s, window),
        duration_s=duration_s,
        cost_usd=_cost(ok),
        clock=clock,
        bundled=sum(sample.bundled for sample in ok),
        tpot_bounds_ms=_tpot_bounds(ok),
        client=clients.get(where, Client()),
        goodput=_goodput(spec.load, measured, duration_s, window),
        recall=_recall(ok),
        samples=measured,
        concurrency=level.concurrency if level else 1,
        rate=level.rate if level else None,
        level=where.level,
        prompts=_prompts(spec),
        **summaries,
    )


def _requests(samples: Iterable[Sample]) -> Requests:
    ended = Counter(sample.outcome for sample in samples)
    return Requests(ended["ok"], ended["failed"], ended["incomplete"])


def _tokens(ok: Sequence[Sample]) -> Tokens:
    """Totals. An unknown input or output leaves its total unknown; a provider that names
    reasoning or cached tokens only when there are some means none where it does not."""
    parts = [sample.tokens for sample in ok]
    if not parts:
        return Tokens()
    return Tokens(
        input=_total([p.input for p in parts]),
        output=_total([p.output for p in parts]),
        reasoning=_named([p.reasoning for p in parts]),
        cached=_named([p.cached for p in parts]),
        source=max((p.source for p in parts), key=_SOURCES.index),
        cache_write=_named([p.cache_write for p in parts]),
        cache_write_1h=_named([p.cache_write_1h for p in parts]),
    )


def _named(parts: Sequence[int | None]) -> int | None:
    known = [part for part in parts if part is not None]
    return sum(known) if known else None


def _tpot_bounds(ok: Sequence[Sample]) -> Interval:
    """The medians of the lowest and of the highest values that the samples allow; nothing
    where all are exact."""
    if not any(sample.tpot_low_ms for sample in ok):
        return None, None
    low = describe(sample.tpot_low_ms or sample.tpot_ms for sample in ok)
    high = describe(sample.tpot_high_ms or sample.tpot_ms for sample in ok)
    return low.p50, high.p50


def _total(parts: Sequence[int | None]) -> int | None:
    known = [part for part in parts if part is not None]
    return sum(known) if len(known) == len(parts) else None


def _cost(ok: Sequence[Sample]) -> float | None:
    known = [sample.cost_usd for sample in ok if sample.cost_usd is not None]
    return math.fsum(known) if known and len(known) == len(ok) else None


def _recall(ok: Sequence[Sample]) -> Recall:
    looked = [sample.recall for sample in ok if sample.recall is not None]
    if not looked:
        return Recall()
    return Recall(sum(looked) / len(looked), wilson(sum(looked), len(looked)), len(looked))


def _prompts(spec: BenchmarkSpec) -> str:
    """A short name of the set of prompts or lengths; empty for a single prompt."""
    if not spec.prompts and not spec.synthetic:
        return ""
    parts = {"prompts", "synthetic", *(("seed",) if spec.synthetic else ())}
    return hashlib.sha256(spec.model_dump_json(include=parts).encode()).hexdigest()[:12]


def _tokens_per_s(
    tokens: Tokens, ok: Sequence[Sample], duration_s: float | None, window: Window | None
) -> float | None:
    if window is None or tokens.output is None:
        return _per_second(tokens.output, duration_s)
    return tokens_within(ok, window) / window.seconds


def _requests_per_s(
    done: Sequence[Sample], duration_s: float | None, window: Window | None
) -> float | None:
    if window is None:
        return _per_second(len(done), duration_s)
    return answers_within(done, window) / window.seconds


def _goodput(
    load: LoadSpec | None,
    measured: Sequence[Sample],
    duration_s: float | None,
    window: Window | None,
) -> Goodput:
    limits = {
        name: limit
        for name in ("ttft_ms", "tpot_ms", "e2e_ms")
        if load and (limit := getattr(load, f"slo_{name}")) is not None
    }
    if not limits or not measured:
        return Goodput()
    met = [sample for sample in measured if _meets(sample, limits)]
    return Goodput(
        share=len(met) / len(measured),
        ci95=wilson(len(met), len(measured)),
        per_s=_requests_per_s(met, duration_s, window),
    )


def _meets(sample: Sample, limits: Mapping[str, float]) -> bool:
    """A failed request meets nothing; a single token has no gap that could be too long."""
    figures = {name: getattr(sample, name) for name in limits}
    return sample.ok and all(v is None or v <= limits[name] for name, v in figures.items())


def _outliers(samples: Sequence[Sample], metric: str) -> list[int]:
    having = [i for i, s in enumerate(samples) if s.ok and getattr(s, metric) is not None]
    found = tukey_outliers(getattr(samples[i], metric) for i in having)
    return [having[i] for i in found]


def _open_s(samples: Iterable[Sample]) -> float | None:
    """Seconds during which at least one of the requests was open; None when none was sent."""
    spans = sorted(
        (sample.started_at, sample.started_at + sample.total_ms / 1000)
        for sample in samples
        if sample.total_ms is not None
    )
    if not spans:
        return None
    open_s, until = 0.0, spans[0][0]
    for start, end in spans:
        open_s += max(0.0, end - max(start, until))
        until = max(until, end)
    return open_s


def _per_second(amount: float | None, duration_s: float | None) -> float | None:
    return amount / duration_s if amount is not None and duration_s else None
