"""Everything the page of a run shows, for the page and for its live fragments alike."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from engine.report import cards, cautions
from engine.samples import Sample, SampleKey
from engine.targets import Target
from jobs.states import RESUMABLE
from jobs.store import load_page
from jobs.submit import expected_start
from webapp.benchmark import charts, load_charts, load_table, table, words
from webapp.benchmark.environment import environment
from webapp.benchmark.figures import Figures, figures
from webapp.benchmark.load_charts import has_limits
from webapp.benchmark.panels import panels
from webapp.benchmark.progress import progress
from webapp.models import ACTIVE_STATES, Job, Run

# Samples on one page of an ended run, and the latest ones beside a running one.
SAMPLES_A_PAGE = 25
SAMPLES_LIVE = 10
# What the engine noticed and the report finds in the samples as well, in its own words.
SAID_BY_CAUTIONS = ("no_usage",)
LEFT_OUT = "target_left_out"


class Sort(NamedTuple):
    """How the results table is sorted; an empty key is its own order."""

    key: str = ""
    descending: bool = False


class SampleRow(NamedTuple):
    """A line of the samples table; `id` is that of its row, `level` its load level in words."""

    id: int
    colour: int
    label: str
    level: str
    sample: Sample
    outliers: tuple[str, ...]


UNSORTED = Sort()


def context(run: Run, sort: Sort = UNSORTED, page: int = 1) -> dict[str, Any]:
    """What the templates of a run need; cheap to ask for often."""
    job: Job | None = run.job
    state = job.state if job else "done"
    active = state in ACTIVE_STATES
    known = figures(run, live=active)
    colours = colour_of(known.targets)
    return {
        "run": run,
        "job": job,
        "state": state,
        "active": active,
        "resumable": state in RESUMABLE,
        "spec": known.spec,
        "shared": int(run.environment.get("other_jobs", 0)) > 0,
        "subtitle": words.subtitle(known.spec, known.targets),
        "took_s": _took_s(job),
        "progress": progress(known, job.total if job else 0, state == "done"),
        "start": _start(job) if active else "",
        "verdict": None if active else known.verdict,
        "leader": words.leader(known.results, state) if active else "",
        "measured": any(result.requests.total for result in known.results),
        "why_nothing": next((n["text"] for n in run.notices if n["code"] == LEFT_OUT), ""),
        "cards": cards(known.results, bool(known.spec.load and has_limits(known.spec.load))),
        **_figures(known, colours, sort, active),
        "only_provider": _only_provider(known.targets),
        "notices": _notices(run, known),
        "samples": _samples(run, known, colours, active, page),
        "samples_total": known.total,
        "page": page,
        "pages": max(1, -(-known.total // SAMPLES_A_PAGE)),
        "panels": panels(known),
        "environment": environment(run, known),
        "error_words": words.ERRORS,
        "tiers": len({result.context_tokens for result in known.results}) > 1,
    }


def _figures(
    known: Figures, colours: Mapping[tuple[str, str], int], sort: Sort, active: bool
) -> dict[str, Any]:
    """Charts and tables: of load levels, or of context sizes."""
    load = known.spec.load
    if load is not None:
        found = (
            load_table.rows(known.results, known.spec, colours, not active) if known.results else []
        )
        return {
            "charts": load_charts.load_charts(known.digests, load, colours),
            "level_rows": found,
            "one_target": len(known.targets) == 1,
        }
    ordered = _ordered(known, sort, active)
    return {
        "charts": charts.chart_data(known.digests, ordered, colours),
        "columns": table.shown(known.results),
        "rows": table.rows(ordered, colours, known.spec.cache == "warm"),
        "sort": sort,
        "confidence_kinds": table.CONFIDENCE,
    }


def colour_of(targets: Sequence[Target]) -> dict[tuple[str, str], int]:
    """A model keeps its colour on all charts of a page: its place in the spec, from 1."""
    return {(target.provider, target.model): i for i, target in enumerate(targets, 1)}


def _only_provider(targets: Sequence[Target]) -> str:
    """The provider all models belong to; said once instead of in every row."""
    labels = {target.provider_label or target.provider for target in targets}
    return labels.pop() if len(labels) == 1 else ""


def _ordered(known: Figures, sort: Sort, active: bool) -> list[Any]:
    """While samples land rows keep the order of the spec: nothing moves but new data."""
    if active:
        return sorted(known.results, key=lambda result: result.context_tokens)
    if sort.key in table.KEYS:
        return table.order(known.results, sort.key, sort.descending)
    return table.best_first(known.results)


def _start(job: Job | None) -> str:
    if job is None or job.state != "queued":
        return ""
    return words.start(expected_start(job), time.time())


def _took_s(job: Job | None) -> float | None:
    if job is None or job.started_at is None or job.finished_at is None:
        return None
    return float(job.finished_at - job.started_at)


def _notices(run: Run, known: Figures) -> list[str]:
    """What the engine said, what a reader must know, and what else ran on this machine."""
    said = [str(n["text"]) for n in run.notices if n["code"] not in SAID_BY_CAUTIONS]
    others = int(run.environment.get("other_jobs", 0))
    beside = words.neighbours(others) if others else ""
    return list(dict.fromkeys(filter(None, (*cautions(known.results), *said, beside))))


def _samples(
    run: Run, known: Figures, colours: Mapping[tuple[str, str], int], active: bool, page: int
) -> list[SampleRow]:
    outliers = _outliers(known)
    labels = {(t.provider, t.model): t.label or t.model for t in known.targets}
    first = 0 if active else (page - 1) * SAMPLES_A_PAGE
    count = SAMPLES_LIVE if active else SAMPLES_A_PAGE
    return [
        SampleRow(
            row_id,
            colours.get(sample.key[:2], 8),
            labels.get(sample.key[:2], sample.key.model),
            level_words(sample.key.level),
            sample,
            tuple(outliers.get(sample.key, ())),
        )
        for row_id, sample in load_page(run, first=first, count=count, newest=active)
    ]


def level_words(label: str) -> str:
    """ "32 streams" for c32, "12.5 requests/s" for r12.5, "" for no level."""
    if not label:
        return ""
    what = "request" if label[0] == "r" else "stream"
    return f"{label[1:]} {what}{'' if label[1:] == '1' else 's'}{'/s' if label[0] == 'r' else ''}"


def _outliers(known: Figures) -> dict[SampleKey, list[str]]:
    """Which samples lie outside the Tukey fences of which figure."""
    found: dict[SampleKey, list[str]] = {}
    for item in known.digests:
        row = item.result
        for metric, runs in item.outliers.items():
            for number in runs:
                key = SampleKey(
                    row.provider, row.model, row.context_tokens, number, False, row.level
                )
                found.setdefault(key, []).append(metric)
    return found
