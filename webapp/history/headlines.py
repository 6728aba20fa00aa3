"""A run in one line: how its requests ended, its best speed and first token, its cost."""

from __future__ import annotations

import math
from collections import OrderedDict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from threading import Lock
from typing import Any

from peewee import fn

from engine.report import Result, front_tier, results
from engine.report.wording import FIRST_TOKEN, SPEED, Metric
from engine.samples import Sample, SampleKey
from engine.specs import BenchmarkSpec
from engine.stats import Summary
from jobs.store import load_targets
from webapp.models import Run, SampleRow

KEPT = 5_000
RUNS_A_QUERY = 500

# What a run is remembered by: ids may come back in another database.
Identity = tuple[int, float]
# How many samples are stored, and when the last of them was.
Stamp = tuple[int, float]


@dataclass(frozen=True, slots=True)
class Headline:
    """`ok` of `total` measured requests; the summaries belong to the models named beside
    them and are None where nothing answered. `cost_usd` is what the whole run cost, warm-ups
    included; None when a price is unknown."""

    ok: int = 0
    total: int = 0
    fastest: str = ""
    speed: Summary | None = None
    earliest: str = ""
    first: Summary | None = None
    cost_usd: float | None = None


def headlines(runs: Sequence[Run]) -> dict[int, Headline]:
    """The headline of each run by its id; of those that did not change it is remembered."""
    stamps = _stamps(runs)
    found = {run.id: _remembered(run, stamps[run.id]) for run in runs}
    missing = [run for run in runs if found[run.id] is None]
    for start in range(0, len(missing), RUNS_A_QUERY):
        part = missing[start : start + RUNS_A_QUERY]
        samples = _samples(part)
        for run in part:
            found[run.id] = _headline(run, samples.get(run.id, []))
            _remember(run, stamps[run.id], found[run.id])
    return {run_id: headline or Headline() for run_id, headline in found.items()}


_kept: OrderedDict[Identity, tuple[Stamp, Headline]] = OrderedDict()
_lock = Lock()


def _remembered(run: Run, stamp: Stamp) -> Headline | None:
    with _lock:
        kept = _kept.get((run.id, run.created_at))
    return kept[1] if kept and kept[0] == stamp else None


def _remember(run: Run, stamp: Stamp, headline: Headline | None) -> None:
    with _lock:
        if headline is not None:
            _kept[run.id, run.created_at] = (stamp, headline)
        while len(_kept) > KEPT:
            _kept.popitem(last=False)


def _stamps(runs: Iterable[Run]) -> dict[int, Stamp]:
    found: dict[int, Stamp] = {run.id: (0, 0.0) for run in runs}
    last = (SampleRow.run, fn.COUNT(SampleRow.id), fn.MAX(SampleRow.stored_at))
    for ids in _batches(list(found)):
        rows: Any = SampleRow.select(*last).where(SampleRow.run.in_(ids)).group_by(SampleRow.run)
        found |= {run_id: (count, at) for run_id, count, at in rows.tuples()}
    return found


def _batches(ids: Sequence[int]) -> Iterable[Sequence[int]]:
    return (ids[start : start + RUNS_A_QUERY] for start in range(0, len(ids), RUNS_A_QUERY))


_COLUMNS = (
    SampleRow.run,
    SampleRow.provider,
    SampleRow.model,
    SampleRow.context_tokens,
    SampleRow.run_index,
    SampleRow.warmup,
    SampleRow.outcome,
    SampleRow.ttft_ms,
    SampleRow.output_tps,
    SampleRow.cost_usd,
    SampleRow.clock,
)


def _samples(runs: Sequence[Run]) -> dict[int, list[Sample]]:
    """The samples of runs, with no more than a headline needs."""
    found: dict[int, list[Sample]] = {}
    rows: Any = SampleRow.select(*_COLUMNS).where(SampleRow.run.in_([run.id for run in runs]))
    for run_id, *key, outcome, ttft_ms, output_tps, cost_usd, clock in rows.tuples():
        sample = Sample(
            SampleKey(*key),
            outcome,
            ttft_ms=ttft_ms,
            output_tps=output_tps,
            cost_usd=cost_usd,
            clock=clock,
        )
        found.setdefault(run_id, []).append(sample)
    return found


def _headline(run: Run, samples: Sequence[Sample]) -> Headline:
    rows = results(samples, load_targets(run), BenchmarkSpec.model_validate(run.spec))
    front = front_tier(rows)
    fastest, speed = _best(front, SPEED)
    earliest, first = _best(front, FIRST_TOKEN)
    costs = [sample.cost_usd for sample in samples if sample.ok]
    known = [cost for cost in costs if cost is not None]
    return Headline(
        ok=sum(row.requests.ok for row in rows),
        total=sum(row.requests.total for row in rows),
        fastest=fastest,
        speed=speed,
        earliest=earliest,
        first=first,
        cost_usd=math.fsum(known) if known and len(known) == len(costs) else None,
    )


def _best(front: Sequence[Result], metric: Metric) -> tuple[str, Summary | None]:
    best = next(iter(metric.best_first(front)), None)
    return ("", None) if best is None else (best.label, metric.summary(best))
