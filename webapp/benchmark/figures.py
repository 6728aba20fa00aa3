"""The figures of a run, kept between two looks at it.

A live page asks four times a second. Only samples that were stored since the last look are
read, and only the results they belong to are computed again.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, NamedTuple

from engine.report import Result, Verdict, results, verdict
from engine.samples import Sample
from engine.specs import BenchmarkSpec
from engine.targets import Target
from jobs.store import load_samples, load_targets
from webapp.models import Run, SampleRow

# Runs that are remembered; the one looked at longest ago is forgotten first.
KEPT_RUNS = 24
# More new rows than this are read with all others instead of by their ids.
FEW_ROWS = 500

Where = tuple[str, str, int]


@dataclass(frozen=True)
class Figures:
    """`samples` in the order they were stored, without their text and arrivals; one result a
    target and context size, in the order of the spec."""

    spec: BenchmarkSpec
    targets: tuple[Target, ...]
    samples: tuple[Sample, ...]
    results: tuple[Result, ...]

    @cached_property
    def verdict(self) -> Verdict:
        """The verdict; comparing many samples takes seconds, so only an ended run has one."""
        return verdict(self.results)


def figures(run: Run, live: bool = False) -> Figures:
    """What is known of `run` now. `live` says that more is coming: then arrival times are
    kept at hand, because every new sample is pooled with them."""
    with _lock:
        entry = _entries.setdefault(run.id, _Entry())
        _entries.move_to_end(run.id)
        while len(_entries) > KEPT_RUNS:
            _entries.popitem(last=False)
    with entry.lock:
        return entry.look(run, live)


def forget() -> None:
    """Start anew; another database may give the same ids to other runs."""
    with _lock:
        _entries.clear()


class _Row(NamedTuple):
    """A stored sample; `stored_at` changes when a cut sample is measured again. `whole` has
    the arrival times until they are not needed any more."""

    stored_at: float
    whole: Sample | None
    bare: Sample


@dataclass
class _Entry:
    """What is remembered of one run, by the id of a sample's row and by place."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    identity: Any = None
    rows: dict[int, _Row] = field(default_factory=dict)
    results: dict[Where, list[Result]] = field(default_factory=dict)
    last: Figures | None = None

    def look(self, run: Run, live: bool) -> Figures:
        identity = (run.created_at, run.targets, run.spec)
        if identity != self.identity:
            self.identity, self.rows, self.results, self.last = identity, {}, {}, None
        fresh = self._read(run)
        if self.last is None or fresh:
            self.last = self._compute(run, fresh)
        if not live:
            self.rows = {row_id: row._replace(whole=None) for row_id, row in self.rows.items()}
        return self.last

    def _read(self, run: Run) -> set[Where]:
        """Take in what is new; gives the places whose results are out of date."""
        stored: Any = SampleRow.select(SampleRow.id, SampleRow.stored_at)
        now: dict[int, float] = dict(stored.where(SampleRow.run == run.id).tuples())
        new = [i for i, at in now.items() if i not in self.rows or self.rows[i].stored_at != at]
        if not new:
            return set()
        # A result needs all its samples whole, also those that were let go.
        lost = any(row.whole is None for row in self.rows.values())
        wanted = sorted(now if lost or len(new) > FEW_ROWS else new)
        samples = load_samples(run, only=wanted if len(wanted) <= FEW_ROWS else None)
        # What was stored after `now` was read comes last and waits for the next look.
        for row_id, sample in zip(wanted, samples, strict=False):
            bare = replace(sample, text="", arrivals=())
            self.rows[row_id] = _Row(now[row_id], replace(sample, text=""), bare)
        return {self.rows[row_id].bare.key[:3] for row_id in new}

    def _compute(self, run: Run, fresh: set[Where]) -> Figures:
        spec, targets = BenchmarkSpec.model_validate(run.spec), tuple(load_targets(run))
        rows = [self.rows[row_id] for row_id in sorted(self.rows)]
        groups: dict[Where, list[Sample]] = {}
        for row in rows:
            groups.setdefault(row.bare.key[:3], []).append(row.whole or row.bare)
        found: list[Result] = []
        for target in targets:
            for size in spec.context_tiers:
                where = (target.provider, target.model, size)
                if where in fresh or where not in self.results:
                    self.results[where] = _results(spec, target, size, groups)
                found += self.results[where]
        return Figures(spec, targets, tuple(row.bare for row in rows), tuple(found))


def _results(
    spec: BenchmarkSpec, target: Target, size: int, groups: Mapping[Where, list[Sample]]
) -> list[Result]:
    """The result of one place, or none when the size is left out."""
    taken = groups.get((target.provider, target.model, size), [])
    found = results(taken, [target], spec.model_copy(update={"context_tiers": (size,)}))
    bare = [tuple(replace(sample, arrivals=()) for sample in row.samples) for row in found]
    return [replace(row, samples=samples) for row, samples in zip(found, bare, strict=True)]


_lock = threading.Lock()
_entries: OrderedDict[int, _Entry] = OrderedDict()
