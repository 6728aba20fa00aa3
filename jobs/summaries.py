"""A run in one line: how its requests ended, its best figures, its cost.

Lists of runs would have to read and compare every sample to be sorted by speed. So what a
run adds up to is stored with it, made from the same results as its report, and made anew
when the run has changed.
"""

from __future__ import annotations

import logging
import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from peewee import JOIN, IntegrityError, OperationalError, fn

from engine.report import Result, front_tier, results
from engine.report.wording import FIRST_TOKEN, SPEED, Metric
from engine.samples import Sample, SampleKey
from jobs.results import run_spec
from jobs.store import load_targets
from webapp import db
from webapp.models import Job, Run, RunSummary, SampleRow

log = logging.getLogger(__name__)

# To be raised when the same samples add up to something else than before.
VERSION = 1
RUNS_A_WRITE = 50
_ID: Any = Run.id


def refresh(runs: Any) -> None:
    """Summarise those of `runs` that have changed since they were summarised.

    `runs` is a list of ids or a query of one column. What cannot be stored now, because the
    database is locked, is left to the next time.
    """
    changed: Any = (
        Run.select(Run.id, _stamp())
        .join(Job, JOIN.LEFT_OUTER, on=(Run.job == Job.id))
        .join_from(Run, RunSummary, JOIN.LEFT_OUTER, on=(RunSummary.run == Run.id))
        .where(_ID.in_(runs) & (RunSummary.stamp.is_null() | (RunSummary.stamp != _stamp())))
    )
    stamps = list(changed.tuples())
    for start in range(0, len(stamps), RUNS_A_WRITE):
        rows = _rows(dict(stamps[start : start + RUNS_A_WRITE]))
        try:
            with db.write():
                RunSummary.insert_many(rows).on_conflict_replace().execute()
        except (OperationalError, IntegrityError) as error:
            log.warning("%s summaries are not stored yet: %s", len(stamps) - start, error)
            return


def summarise(rows: Sequence[Result]) -> dict[str, Any]:
    """What a run's results add up to, as JSON: full values, None where there is none.

    `fastest` and `earliest` are who leads on the run's cards. `cost_usd` is the cost of the
    measured answers, unknown as soon as one of them is.
    """
    front = front_tier(rows)
    costs = [row.cost_usd for row in rows if row.requests.ok]
    known = [cost for cost in costs if cost is not None]
    errors: Counter[str] = Counter()
    for row in rows:
        errors.update(row.errors)
    return {
        "requests": {
            name: sum(getattr(row.requests, name) for row in rows)
            for name in ("ok", "failed", "incomplete")
        },
        "errors": dict(errors.most_common()),
        "fastest": _leader(SPEED, front),
        "earliest": _leader(FIRST_TOKEN, front),
        "cost_usd": math.fsum(known) if known and len(known) == len(costs) else None,
    }


def _leader(metric: Metric, front: Sequence[Result]) -> dict[str, Any] | None:
    best = next(iter(metric.best_first(front)), None)
    if best is None:
        return None
    summary = metric.summary(best)
    names = ("provider", "model", "label", "context_tokens")
    return {name: getattr(best, name) for name in names} | {
        metric.name: {"p50": summary.p50, "ci95": list(summary.ci95), "n": summary.n}
    }


def _rows(stamps: Mapping[int, str]) -> list[dict[str, Any]]:
    """What to store of runs. Their samples are read after their stamps, so a sample that
    came between them makes the summary count as old, never as new."""
    samples = _samples(list(stamps))
    runs = Run.select(Run.id, Run.spec, Run.targets).where(_ID.in_(list(stamps)))
    return [_row(run, samples.get(run.id, []), stamps[run.id]) for run in runs]


def _row(run: Run, samples: Iterable[Sample], stamp: str) -> dict[str, Any]:
    content = summarise(results(samples, load_targets(run), run_spec(run)))
    fastest, earliest = content["fastest"], content["earliest"]
    return {
        "run": run.id,
        "stamp": stamp,
        "ok": content["requests"]["ok"],
        "output_tps": fastest and fastest["output_tps"]["p50"],
        "ttft_ms": earliest and earliest["ttft_ms"]["p50"],
        "cost_usd": content["cost_usd"],
        "content": content,
    }


def _stamp() -> Any:
    """Changes with everything that a summary is made from, and costs no look at the samples
    themselves: they are only added, but for one that was cut off, and measuring that again
    takes another attempt, in which it counts as done."""
    stored = SampleRow.select(fn.COUNT(SampleRow.id)).where(SampleRow.run == Run.id)
    return fn.PRINTF(f"{VERSION} %d %s %d %d", stored, Job.state, Job.attempt, Job.done)


# A column for each part of a sample's key that is stored.
_KEY = {
    name: SampleRow._meta.fields[column]
    for name in SampleKey._fields
    if (column := {"run": "run_index"}.get(name, name)) in SampleRow._meta.fields
}
_FIGURES = ("outcome", "error", "ttft_ms", "output_tps", "cost_usd", "clock")


def _samples(ids: list[int]) -> dict[int, list[Sample]]:
    """The samples of runs, with no more than a summary needs: whole ones take ten times as
    long."""
    columns = (SampleRow.run, *_KEY.values(), *(getattr(SampleRow, name) for name in _FIGURES))
    rows: Any = SampleRow.select(*columns).where(SampleRow.run.in_(ids)).order_by(SampleRow.id)
    found: dict[int, list[Sample]] = {}
    for run_id, *values in rows.tuples():
        key = SampleKey(**dict(zip(_KEY, values, strict=False)))
        figures: dict[str, Any] = dict(zip(_FIGURES, values[len(_KEY) :], strict=True))
        found.setdefault(run_id, []).append(Sample(key, **figures))
    return found
