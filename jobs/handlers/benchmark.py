"""Runs a benchmark and writes down what its events say."""

from __future__ import annotations

import time
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
from jobs import digests, states
from jobs.progress import Context, JobFailed
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
from webapp import db
from webapp.models import Job, Run


def handle(context: Context) -> dict[str, Any]:
    """Measure what the run still lacks; returns `{"run", "done", "failed", "ended"}`, where
    `ended` is "complete", or "budget" when that was spent.

    Raises Cancelled when it was stopped: what was measured until then is stored.
    """
    run = _run(context)
    spec: BenchmarkSpec = context.spec
    targets = resolve(context.job.user, spec.targets, context.settings)
    if not run.targets:
        _update(run, context, targets=describe_targets(targets))
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
        ended = _record(events, run, context, writer)
    neighbours = _with_neighbours(run, context.job)
    _update(run, context, finished_at=time.time(), environment=neighbours)
    if ended.reason in ("cancelled", "deadline"):
        raise Cancelled(ended.reason)
    digests.refresh(run)
    return {"run": run.id, "done": writer.done, "failed": writer.failed, "ended": ended.reason}


def _run(context: Context) -> Run:
    mine = (Run.id == context.job.subject) & (Run.job == context.job.id)
    run: Run | None = Run.select().where(mine & Run.deleted_at.is_null()).first()
    if run is None:
        raise JobFailed("The run of this job has been deleted. Start a new benchmark.")
    return run


def _record(events: Iterator[Event], run: Run, context: Context, writer: SampleWriter) -> Finished:
    measuring: dict[str, SampleKey] = {}
    total = 0
    for event in events:
        match event:
            case Started():
                total = event.total
                context.progress(total=total)
                _begin(run, context, event)
            case SampleStarted(key):
                measuring[key.provider] = key
                context.progress(message=_measuring(measuring))
            case SampleDone(sample) | SampleFailed(sample):
                writer.put(sample)
            case Notice():
                total -= event.dropped
                context.progress(total=total)
                _note(run, context, event)
            case LevelDone():
                writer.settle()
                _update(run, context, levels=[*run.levels, level_entry(event)])
            case Finished():
                return event
    raise RuntimeError("The engine stopped without saying why.")


def _begin(run: Run, context: Context, started: Started) -> None:
    """The first attempt's environment describes the run; a resumed run keeps the others'."""
    if not run.environment:
        _update(run, context, environment=started.environment)
        return
    resumed = [*run.environment.get("resumed", []), started.environment]
    _update(run, context, environment=run.environment | {"resumed": resumed})


def _note(run: Run, context: Context, notice: Notice) -> None:
    target = notice.target.model_dump() if notice.target else None
    entry = {"code": notice.code, "text": notice.text, "target": target}
    if entry not in run.notices:
        _update(run, context, notices=[*run.notices, entry])


def _measuring(keys: dict[str, SampleKey]) -> str:
    """ "demo/fast-small, run 2; openai/gpt, warm-up 1"."""
    return "; ".join(
        f"{key.provider}/{key.model}, {'warm-up' if key.warmup else 'run'} {key.run + 1}"
        + (f", {key.context_tokens:,} tokens of context" if key.context_tokens else "")
        for key in keys.values()
    )


def _with_neighbours(run: Run, job: Job) -> dict[str, Any]:
    """The environment, with the number of other measuring jobs that ran meanwhile."""
    meanwhile = Job.finished_at.is_null() | (Job.finished_at > job.started_at)
    others = Job.select().where(
        (Job.lane == "main") & (Job.id != job.id) & (Job.started_at > 0) & meanwhile
    )
    before = run.environment.get("other_jobs", 0)
    return {**run.environment, "other_jobs": max(before, others.count())}


def _update(run: Run, context: Context, **changes: Any) -> None:
    """Write columns of the run; raises LostJob when another attempt has taken it over."""
    for name, value in changes.items():
        setattr(run, name, value)
    with db.write():
        states.renew(context.report.lease)
        run.save(only=list(changes))
