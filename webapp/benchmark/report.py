"""Everything the page of a run shows, for the page and for its live fragments alike."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from engine.report import cards, cautions
from engine.samples import Sample
from engine.specs import BenchmarkSpec
from engine.targets import Target
from jobs.states import RESUMABLE
from jobs.submit import expected_start
from webapp.benchmark import charts, table, words
from webapp.benchmark.figures import Figures, figures
from webapp.benchmark.progress import progress
from webapp.formats import tier
from webapp.models import ACTIVE_STATES, Job, Run

# Samples on one page of an ended run, and the latest ones beside a running one.
SAMPLES_A_PAGE = 25
SAMPLES_LIVE = 10
# What the engine noticed and the report finds in the samples as well, in its own words.
SAID_BY_CAUTIONS = ("no_usage",)


class Sort(NamedTuple):
    """How the results table is sorted; an empty key is its own order."""

    key: str = ""
    descending: bool = False


class SampleRow(NamedTuple):
    """A line of the samples table; `number` counts them in the order they ended."""

    number: int
    colour: int
    label: str
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
    ordered = _ordered(known, sort, active)
    return {
        "run": run,
        "job": job,
        "state": state,
        "active": active,
        "resumable": state in RESUMABLE,
        "spec": known.spec,
        "subtitle": words.subtitle(known.spec, known.targets),
        "took_s": _took_s(job),
        "progress": progress(known, job.total if job else 0),
        "start": _start(job) if active else "",
        "verdict": None if active else known.verdict,
        "leader": words.leader(known.results, state) if active else "",
        "cards": cards(known.results),
        "charts": charts.chart_data(known.results, ordered, colours),
        "columns": table.shown(known.results),
        "rows": table.rows(ordered, colours),
        "sort": sort,
        "only_provider": _only_provider(known.targets),
        "notices": _notices(run, known),
        "samples": _samples(known, colours, active, page),
        "samples_total": len(known.samples),
        "page": page,
        "pages": max(1, -(-len(known.samples) // SAMPLES_A_PAGE)),
        "panels": panels(known.spec, known),
        "confidence_kinds": table.CONFIDENCE,
        "error_words": words.ERRORS,
        "tiers": len({result.context_tokens for result in known.results}) > 1,
    }


class Panel(NamedTuple):
    """A chart's frame. `rows` reserves the height, `wide` takes both columns; `legend` is
    for charts that name no model themselves."""

    kind: str
    title: str
    note: str
    rows: int
    wide: bool = False
    legend: bool = False


# Rows of height that charts with two value axes take.
PLANE_ROWS = 6
# More points than this leave no room for names beside them.
NAMED_POINTS = 6


def panels(spec: BenchmarkSpec, known: Figures) -> list[Panel]:
    """Which charts a run has; it follows from what was asked, so that nothing moves when
    samples arrive."""
    bars = len(known.targets)
    size = charts.bar_size(known.results)
    at = f", context {tier(size)}" if len(spec.context_tiers) > 1 else ""
    shown = [
        Panel("speed", "Output speed", f"median, 95 % interval, tokens/s{at}", bars),
        Panel("first_token", "First token", f"{_first_note(known)}, ms{at}", bars),
    ]
    if len({result.context_tokens for result in known.results}) > 1:
        shown += [
            Panel("context_speed", "Output speed by context", "median, 95 % interval",
                  PLANE_ROWS, legend=True),
            Panel("context_first_token", "First token by context", "median, 95 % interval",
                  PLANE_ROWS, legend=True),
        ]  # fmt: skip
    if bars > 1:
        note = "median, 95 % interval; up and left is better"
        shown.append(
            Panel("tradeoff", "Speed and first token", note, PLANE_ROWS, True, bars > NAMED_POINTS)
        )
    return shown


def colour_of(targets: Sequence[Target]) -> dict[tuple[str, str], int]:
    """A model keeps its colour on all charts of a page: its place in the spec, from 1."""
    return {(target.provider, target.model): i for i, target in enumerate(targets, 1)}


def _only_provider(targets: Sequence[Target]) -> str:
    """The provider all models belong to; said once instead of in every row."""
    labels = {target.provider_label or target.provider for target in targets}
    return labels.pop() if len(labels) == 1 else ""


def _first_note(known: Figures) -> str:
    expected = len(known.targets) * known.spec.runs
    return "every run" if expected <= charts.POINTS_MAX else "median, quartiles, range"


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
    known: Figures, colours: Mapping[tuple[str, str], int], active: bool, page: int
) -> list[SampleRow]:
    outliers = _outliers(known)
    labels = {(t.provider, t.model): t.label or t.model for t in known.targets}
    every = list(enumerate(known.samples, 1))
    first = (page - 1) * SAMPLES_A_PAGE
    chosen = every[: -SAMPLES_LIVE - 1 : -1] if active else every[first : first + SAMPLES_A_PAGE]
    return [
        SampleRow(
            number,
            colours.get(sample.key[:2], 8),
            labels.get(sample.key[:2], sample.key.model),
            sample,
            tuple(outliers.get(sample.key, ())),
        )
        for number, sample in chosen
    ]


def _outliers(known: Figures) -> dict[Any, list[str]]:
    """Which samples lie outside the Tukey fences of which figure."""
    found: dict[Any, list[str]] = {}
    for result in known.results:
        for metric, positions in result.outliers.items():
            for position in positions:
                found.setdefault(result.samples[position].key, []).append(metric)
    return found
