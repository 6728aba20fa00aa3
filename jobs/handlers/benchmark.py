"""Runs a benchmark and writes down what its events say."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from contextlib import closing
from typing import Any, cast

from engine.cancel import Cancelled
from engine.events import (
    Event,
    Finished,
    LevelDone,
    Notice,
    SampleDone,
    SampleFailed,
    SampleStarted,
    Started,
)
from engine.samples import SampleKey
from engine.specs import BenchmarkSpec
from engine.speed.runner import run_benchmark
from jobs import digests
from jobs.handlers.record import Record
from jobs.progress import Context
from jobs.store import (
    SampleWriter,
    describe_targets,
    forget_unfinished_levels,
    level_entry,
    load_levels,
    spent_usd,
    stored_keys,
)
from jobs.targets import resolve
from webapp.models import Run

_GONE = "The run of this job has been deleted. Start a new benchmark."


def handle(context: Context) -> dict[str, Any]:
    """Measure what the run still lacks; returns `{"run", "done", "failed", "ended"}`, where
    `ended` is "complete", or "budget" when that was spent.

    Raises Cancelled when it was stopped: what was measured until then is stored.
    """
    record = Record.of(Run, context, _GONE)
    run, spec = record.row, cast("BenchmarkSpec", context.spec)
    targets = resolve(context.job.user, spec.targets, context.settings)
    if not run.targets:
        record.update(targets=describe_targets(targets))
    spent = spent_usd(run)  # also on what is forgotten now
    if spec.load:
        forget_unfinished_levels(run)
    events = run_benchmark(
        spec,
        targets,
        cancel=context.cancel,
        stored=stored_keys(run),
        levels=frozenset(load_levels(run)),
        spent_usd=spent,
    )
    with SampleWriter(run, context.report) as writer, closing(cast("Generator[Event]", events)):
        ended = _follow(events, record, context, writer)
    record.finish()
    if ended.reason in ("cancelled", "deadline"):
        raise Cancelled(ended.reason)
    digests.refresh(run)
    return {"run": run.id, "done": writer.done, "failed": writer.failed, "ended": ended.reason}


def _follow(
    events: Iterator[Event], record: Record[Run], context: Context, writer: SampleWriter
) -> Finished:
    measuring: dict[str, SampleKey] = {}
    total = 0
    for event in events:
        match event:
            case Started():
                total = event.total
                context.progress(total=total)
                record.begin(event)
            case SampleStarted(key):
                measuring[key.provider] = key
                context.progress(message=_measuring(measuring))
            case SampleDone(sample) | SampleFailed(sample):
                writer.put(sample)
            case Notice():
                total -= event.dropped
                context.progress(total=total)
                record.note(event)
            case LevelDone():
                writer.settle()
                record.update(levels=[*record.row.levels, level_entry(event)])
                digests.keep_level(record.row, event.where)
            case Finished():
                return event
    raise RuntimeError("The engine stopped without saying why.")


def _measuring(keys: dict[str, SampleKey]) -> str:
    """ "demo/fast-small, run 2; openai/gpt, warm-up 1"."""
    return "; ".join(
        f"{key.provider}/{key.model}, {'warm-up' if key.warmup else 'run'} {key.run + 1}"
        + (f", {key.context_tokens:,} tokens of context" if key.context_tokens else "")
        for key in keys.values()
    )
