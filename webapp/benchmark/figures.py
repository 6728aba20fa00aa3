"""The figures of a run: stored with it once it has ended, kept between two looks while it
goes on.

A live page asks four times a second. Only samples that were stored since the last look are
read, and only the results they belong to are computed again.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass
from functools import cached_property

from engine.report import Result, Verdict
from engine.report.digest import Digest
from engine.samples import LevelKey, Sample
from engine.specs import BenchmarkSpec
from engine.targets import Target
from jobs import digests
from jobs.digests import NOTHING_SPENT, Spent
from jobs.results import run_spec
from jobs.store import load_levels, load_targets
from webapp.benchmark.live_figures import LiveLevels, LiveSamples, Now
from webapp.models import Run

# Runs that are remembered; the one looked at longest ago is forgotten first.
KEPT_RUNS = 24


@dataclass(frozen=True)
class Figures:
    """One digest a target, context size and load level, in the order of the spec.

    `total` counts the stored samples, `samples` holds them (without text and arrivals) while a
    sequential run goes on. `finished` are the load levels that have ended. Comparing many
    samples takes seconds, so only an ended run has a verdict.
    """

    spec: BenchmarkSpec
    targets: tuple[Target, ...]
    digests: tuple[Digest, ...]
    samples: tuple[Sample, ...] = ()
    total: int = 0
    spent: Spent = NOTHING_SPENT
    finished: frozenset[LevelKey] = frozenset()
    verdict: Verdict | None = None

    @cached_property
    def results(self) -> tuple[Result, ...]:
        return tuple(item.result for item in self.digests)


def figures(run: Run, live: bool = False) -> Figures:
    """What is known of `run` now; `live` says that more is coming."""
    spec, targets = run_spec(run), tuple(load_targets(run))
    finished = frozenset(load_levels(run))
    if not live:
        with _lock:
            _entries.pop(run.id, None)
        kept = digests.stored(run)
        if kept is None:
            with _making:
                kept = digests.kept(run)
        return Figures(spec, targets, kept.digests, (), kept.samples, kept.spent, finished,
                       kept.verdict)  # fmt: skip
    now = _remembered(run).look(run)
    return Figures(spec, targets, now.digests, now.samples, now.total, now.spent, finished)


def forget() -> None:
    """Start anew; another database may give the same ids to other runs."""
    with _lock:
        _entries.clear()


class _Entry:
    """What is remembered of one run; `identity` changes with everything that was asked, and
    with each attempt, because an attempt may measure again."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.identity: object = None
        self.known: LiveLevels | LiveSamples | None = None

    def look(self, run: Run) -> Now:
        with self.lock:
            identity = (run.created_at, run.targets, run.spec, run.job and run.job.attempt)
            if self.known is None or identity != self.identity:
                self.identity = identity
                spec, targets = run_spec(run), tuple(load_targets(run))
                self.known = (LiveLevels if spec.load else LiveSamples)(spec, targets)
            return self.known.look(run)


def _remembered(run: Run) -> _Entry:
    with _lock:
        entry = _entries.setdefault(run.id, _Entry())
        _entries.move_to_end(run.id)
        while len(_entries) > KEPT_RUNS:
            _entries.popitem(last=False)
    return entry


_lock = threading.Lock()
# Two pages that open at once do not both make a digest; those that have one do not wait.
_making = threading.Lock()
_entries: OrderedDict[int, _Entry] = OrderedDict()
