"""Samples and targets as rows, and back again."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Sequence
from dataclasses import asdict, fields
from typing import Any

from engine.events import LevelDone
from engine.report.result import Client
from engine.samples import (
    LevelClient,
    LevelKey,
    Sample,
    SampleKey,
    Tokens,
    Try,
    pack_arrivals,
    unpack_arrivals,
)
from engine.targets import Target
from jobs.progress import Progress
from jobs.writer import BatchWriter
from webapp import db
from webapp.models import Eval, Run, SampleRow

# SQLite allows 32,766 variables in a statement, and a row has about 40.
ROWS_A_STATEMENT = 500

_KEY = (
    SampleRow.run,
    SampleRow.provider,
    SampleRow.model,
    SampleRow.context_tokens,
    SampleRow.run_index,
    SampleRow.warmup,
    SampleRow.level,
)
# Columns that have the name and the value of the sample's field.
_PLAIN = tuple(
    f.name for f in fields(Sample) if f.name not in ("key", "tries", "tokens", "arrivals")
)
_WHERE = ("provider", "model", "context_tokens", "level")
# What a run remembers of a target: all that a report needs, and nothing secret.
_TARGET = tuple(
    f.name for f in fields(Target) if f.name not in ("api_key", "api_base", "allow_private")
)


def store_samples(run: Run, samples: Sequence[Sample]) -> None:
    """Store `samples` in one short transaction.

    A key that is stored already stays as it is, unless that sample was cut off
    ("incomplete"): then the new one takes its place.
    """
    rows = [_row(run, sample) for sample in samples]
    key = {"id", *(field.name for field in _KEY)}
    fresh = [field for field in SampleRow._meta.sorted_fields if field.name not in key]
    with db.write():
        for start in range(0, len(rows), ROWS_A_STATEMENT):
            insert = SampleRow.insert_many(rows[start : start + ROWS_A_STATEMENT])
            insert.on_conflict(
                conflict_target=_KEY, preserve=fresh, where=SampleRow.outcome == "incomplete"
            ).execute()


def load_samples(
    run: Run,
    *,
    light: bool = False,
    only: Collection[int] | None = None,
    where: LevelKey | None = None,
) -> list[Sample]:
    """The run's samples in the order they were stored; `light` leaves out the answers'
    text and the arrival times, which are most of the bytes. `only` names rows by id,
    `where` a load level ("" for its target's warm-ups)."""
    heavy = ("text", "arrivals") if light else ()
    columns = [field for field in SampleRow._meta.sorted_fields if field.name not in heavy]
    rows = SampleRow.select(*columns).where(SampleRow.run == run.id).order_by(SampleRow.id)
    if only is not None:
        row_id: Any = SampleRow.id
        rows = rows.where(row_id.in_(list(only)))
    if where is not None:
        rows = rows.where(*(getattr(SampleRow, name) == getattr(where, name) for name in _WHERE))
    return [_sample(row, light) for row in rows]


def load_page(
    run: Run, *, first: int = 0, count: int, newest: bool = False
) -> list[tuple[int, Sample]]:
    """`count` samples from position `first` with the ids of their rows, light; oldest first,
    or `newest` first."""
    row_id: Any = SampleRow.id
    order = row_id.desc() if newest else row_id
    # Ids alone come from the index; rows in between are never read.
    chosen: Any = SampleRow.select(SampleRow.id).where(SampleRow.run == run.id)
    ids = [i for (i,) in chosen.order_by(order).offset(first).limit(count).tuples()]
    found = load_samples(run, light=True, only=ids)
    pairs = list(zip(sorted(ids), found, strict=True))
    return pairs[::-1] if newest else pairs


def stored_keys(run: Run) -> frozenset[SampleKey]:
    """The keys that need no further request. A sample that was cut off is not among them."""
    rows: Any = SampleRow.select(*_KEY[1:]).where(
        (SampleRow.run == run.id) & (SampleRow.outcome != "incomplete")
    )
    return frozenset(SampleKey(*key) for key in rows.tuples())


def spent_usd(run: Run) -> float:
    """What is known of the cost of the run so far, warm-ups included."""
    costs: Any = SampleRow.select(SampleRow.cost_usd).where(
        (SampleRow.run == run.id) & SampleRow.cost_usd.is_null(False)
    )
    return math.fsum(float(cost) for (cost,) in costs.tuples())


def describe_targets(targets: Iterable[Target]) -> list[dict[str, Any]]:
    """What a run remembers of its targets, as JSON: never a key or an address."""
    rows = [{name: getattr(target, name) for name in _TARGET} for target in targets]
    return [row | {"skip_params": sorted(row["skip_params"])} for row in rows]


def load_targets(run: Run | Eval) -> list[Target]:
    """The targets as they were when it started, without keys and addresses."""
    return [
        Target(**{**row, "skip_params": frozenset(row.get("skip_params", ()))})
        for row in run.targets
    ]


def level_entry(done: LevelDone) -> dict[str, Any]:
    """What a run remembers of a finished load level, as JSON."""
    return {"where": list(done.where), "client": asdict(done.client)}


def load_levels(run: Run) -> dict[LevelKey, LevelClient]:
    """The run's finished load levels."""
    return {
        LevelKey(*entry["where"]): LevelClient(
            **{**entry["client"], "marks": tuple(entry["client"]["marks"])}
        )
        for entry in run.levels
    }


def load_clients(run: Run) -> dict[LevelKey, Client]:
    """What the load generator said of itself, by level."""
    return {where: Client.of(client) for where, client in load_levels(run).items()}


def forget_unfinished_levels(run: Run) -> None:
    """Delete the samples of load levels that did not end: such a level is repeated whole."""
    with db.write():
        for where in _levels_with_samples(run) - set(load_levels(run)):
            SampleRow.delete().where(
                (SampleRow.run == run.id)
                & (SampleRow.provider == where.provider)
                & (SampleRow.model == where.model)
                & (SampleRow.context_tokens == where.context_tokens)
                & (SampleRow.level == where.level)
            ).execute()


def _levels_with_samples(run: Run) -> set[LevelKey]:
    columns = (SampleRow.provider, SampleRow.model, SampleRow.context_tokens, SampleRow.level)
    leveled = (SampleRow.run == run.id) & (SampleRow.level != "")
    rows: Any = SampleRow.select(*columns).where(leveled).distinct()
    return {LevelKey(*row) for row in rows.tuples()}


class SampleWriter(BatchWriter[Sample]):
    """Stores samples while the engine goes on measuring."""

    def __init__(self, run: Run, progress: Progress) -> None:
        stored = SampleRow.select().where(SampleRow.run == run.id)
        failed = stored.where(SampleRow.outcome == "failed").count()
        done = stored.where(SampleRow.outcome == "ok").count() + failed
        super().__init__(progress, f"samples of run {run.id}", done=done, failed=failed)
        self._run = run

    def save(self, batch: list[Sample]) -> None:
        store_samples(self._run, batch)

    def counts(self, item: Sample) -> tuple[bool, bool]:
        return item.outcome != "incomplete", item.outcome == "failed"


def _row(run: Run, sample: Sample) -> dict[str, Any]:
    key, tokens = sample.key, sample.tokens
    return {name: getattr(sample, name) for name in _PLAIN} | {
        "run": run.id,
        "provider": key.provider,
        "model": key.model,
        "context_tokens": key.context_tokens,
        "run_index": key.run,
        "warmup": key.warmup,
        "level": key.level,
        "tries": [asdict(item) for item in sample.tries],
        "input_tokens": tokens.input,
        "output_tokens": tokens.output,
        "reasoning_tokens": tokens.reasoning,
        "cached_tokens": tokens.cached,
        "cache_write_tokens": tokens.cache_write,
        "cache_write_1h_tokens": tokens.cache_write_1h,
        "tokens_source": tokens.source,
        "arrivals": pack_arrivals(sample.arrivals),
    }


def _sample(row: SampleRow, light: bool) -> Sample:
    plain = {name: getattr(row, name) for name in _PLAIN if not (light and name == "text")}
    source: Any = row.tokens_source
    return Sample(
        key=SampleKey(
            row.provider, row.model, row.context_tokens, row.run_index, row.warmup, row.level
        ),
        tries=tuple(Try(**item) for item in row.tries),
        tokens=Tokens(
            row.input_tokens,
            row.output_tokens,
            row.reasoning_tokens,
            row.cached_tokens,
            source,
            cache_write=row.cache_write_tokens,
            cache_write_1h=row.cache_write_1h_tokens,
        ),
        arrivals=() if light or not row.arrivals else unpack_arrivals(row.arrivals),
        **plain,
    )
