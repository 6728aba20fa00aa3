"""How far a run is: in all, by model, and how long it will take."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from statistics import fmean

from engine.samples import Sample
from webapp.benchmark.estimate import estimate, requests_of
from webapp.benchmark.figures import Figures
from webapp.benchmark.lanes import Lane, levels_progress


@dataclass(frozen=True, slots=True)
class Progress:
    """`left_s` is None while nothing tells it; costs are USD, None when unknown, and
    `unpriced` counts the answers whose cost is."""

    done: int
    failed: int
    total: int
    left_s: float | None
    spent_usd: float | None
    bound_usd: float | None
    unpriced: int
    lanes: tuple[Lane, ...]

    @property
    def percent(self) -> int:
        """Whole percent, 100 only when all is done."""
        return 100 * self.done // self.total if self.total else 0


def progress(figures: Figures, total: int, done: bool = False) -> Progress:
    """`total` is the job's own count, 0 while it is not known. A load run that is `done` has all
    that it wanted: levels that were left out are not missing."""
    spent = figures.spent
    bound = estimate(figures.spec, figures.targets, {}).usd
    if not figures.samples:
        lanes, left_s = levels_progress(figures)
        if done and figures.spec.load:
            lanes, total = [replace(lane, total=lane.done) for lane in lanes], 0
        took = sum(lane.done for lane in lanes)
        if figures.verdict is None:  # it goes on: results come a little after their samples
            took = max(took, figures.total)
        failed = sum(lane.failed for lane in lanes)
        return Progress(took, failed, max(took, _planned(figures, lanes, total)), left_s,
                        spent.usd, bound, spent.unpriced, tuple(lanes))  # fmt: skip
    samples = [sample for sample in figures.samples if sample.outcome != "incomplete"]
    counts = requests_of(figures.spec, figures.targets)
    expected: Counter[tuple[str, str]] = Counter()
    for key, times in counts.items():
        expected[key[:2]] += times
    return Progress(
        done=len(samples),
        failed=sum(not sample.ok for sample in samples),
        total=max(total or sum(expected.values()), len(samples)),
        left_s=_left_s(samples, expected),
        spent_usd=spent.usd,
        bound_usd=bound,
        unpriced=spent.unpriced,
        lanes=tuple(_lanes(figures, samples, expected)),
    )


def _planned(figures: Figures, lanes: Sequence[Lane], total: int) -> int:
    """A load level that ends by time has no number of requests that the job could know."""
    load = figures.spec.load
    timed = load is not None and load.duration_s is not None
    return sum(lane.total for lane in lanes) if timed or not total else total


def _lanes(
    figures: Figures, samples: Sequence[Sample], expected: Counter[tuple[str, str]]
) -> Iterable[Lane]:
    taken: dict[tuple[str, str], list[Sample]] = defaultdict(list)
    for sample in samples:
        taken[sample.key[:2]].append(sample)
    for number, target in enumerate(figures.targets, 1):
        mine = taken[target.provider, target.model]
        speeds = [sample.output_tps for sample in mine if sample.output_tps is not None]
        yield Lane(
            number=number,
            label=target.label or target.model,
            done=len(mine),
            failed=sum(not sample.ok for sample in mine),
            total=expected[target.provider, target.model],
            output_tps=speeds[-1] if speeds else None,
        )


def _left_s(samples: Sequence[Sample], expected: Counter[tuple[str, str]]) -> float | None:
    """Providers run in parallel and each asks one request at a time, so the slowest decides.
    A model not measured yet counts like the others of its provider, then like all."""
    durations: dict[tuple[str, ...], list[float]] = defaultdict(list)
    done: Counter[tuple[str, str]] = Counter()
    for sample in samples:
        provider, model = sample.key[:2]
        done[provider, model] += 1
        took = (sample.total_ms or 0.0) / 1000 + sum(item.waited_s for item in sample.tries)
        for scope in ((provider, model), (provider,), ()):
            durations[scope].append(took)
    if not samples:
        return None
    left: dict[str, float] = defaultdict(float)
    for (provider, model), total in expected.items():
        scopes = ((provider, model), (provider,), ())
        usual = next(fmean(durations[scope]) for scope in scopes if durations[scope])
        left[provider] += max(0, total - done[provider, model]) * usual
    return max(left.values(), default=0.0)
