"""The figures of a run that goes on, told from one look to the next."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

from engine.report import results
from engine.report.digest import Digest, digest
from engine.report.result import Client
from engine.samples import LevelKey, Sample
from engine.specs import BenchmarkSpec
from engine.targets import Target
from jobs import digests
from jobs.digests import NOTHING_SPENT, Spent
from jobs.store import load_clients, load_samples
from webapp.models import Run, SampleRow

# More new rows than this are read with all others instead of by their ids.
FEW_ROWS = 500
# A level that goes on is computed again after so many times what it took.
REST = 20

Where = tuple[str, str, int]


class Now(NamedTuple):
    """What one look found; `samples` is empty for a load run, which has too many."""

    digests: tuple[Digest, ...]
    samples: tuple[Sample, ...]
    total: int
    spent: Spent


class _Row(NamedTuple):
    """A stored sample; `stored_at` changes when a cut sample is measured again."""

    stored_at: float
    whole: Sample
    bare: Sample


@dataclass
class LiveSamples:
    """A sequential run, by the id of a sample's row and by place."""

    spec: BenchmarkSpec
    targets: tuple[Target, ...]
    rows: dict[int, _Row] = field(default_factory=dict)
    made: dict[Where, list[Digest]] = field(default_factory=dict)
    last: Now | None = None

    def look(self, run: Run) -> Now:
        """Take in what is new, and compute again what it belongs to."""
        fresh = self._read(run)
        if self.last is None or fresh:
            self.last = self._compute(fresh)
        return self.last

    def _read(self, run: Run) -> set[Where]:
        """Take in what is new; gives the places whose results are out of date."""
        stored: Any = SampleRow.select(SampleRow.id, SampleRow.stored_at)
        now: dict[int, float] = dict(stored.where(SampleRow.run == run.id).tuples())
        new = [i for i, at in now.items() if i not in self.rows or self.rows[i].stored_at != at]
        if not new:
            return set()
        wanted = sorted(now if len(new) > FEW_ROWS else new)
        samples = load_samples(run, only=wanted if len(wanted) <= FEW_ROWS else None)
        # What was stored after `now` was read comes last and waits for the next look.
        for row_id, sample in zip(wanted, samples, strict=False):
            bare = replace(sample, text="", arrivals=())
            self.rows[row_id] = _Row(now[row_id], replace(sample, text=""), bare)
        return {self.rows[row_id].bare.key[:3] for row_id in new}

    def _compute(self, fresh: set[Where]) -> Now:
        rows = [self.rows[row_id] for row_id in sorted(self.rows)]
        groups: dict[Where, list[Sample]] = {}
        for row in rows:
            groups.setdefault(row.bare.key[:3], []).append(row.whole)
        found: list[Digest] = []
        for target in self.targets:
            for size in self.spec.context_tiers:
                where = (target.provider, target.model, size)
                if where in fresh or where not in self.made:
                    alone = self.spec.model_copy(update={"context_tiers": (size,)})
                    taken = groups.get(where, ())
                    found_here = results(taken, [target], alone)
                    self.made[where] = [digest(row, taken) for row in found_here]
                found += self.made[where]
        samples = tuple(row.bare for row in rows)
        return Now(tuple(found), samples, len(rows), Spent().plus(samples))


@dataclass
class LiveLevels:
    """A load run. Samples are let go when their level has ended: only its digest stays."""

    spec: BenchmarkSpec
    targets: tuple[Target, ...]
    last_id: int = 0
    open: dict[LevelKey, list[Sample]] = field(default_factory=dict)
    made: dict[LevelKey, Digest] = field(default_factory=dict)
    settled: set[LevelKey] = field(default_factory=set)
    stale: set[LevelKey] = field(default_factory=set)
    rest: dict[LevelKey, float] = field(default_factory=dict)
    total: int = 0
    spent: Spent = NOTHING_SPENT

    def look(self, run: Run) -> Now:
        """Take in what is new, and compute again the levels it belongs to."""
        clients = load_clients(run)
        if not self.made:
            self._begin(run)
        fresh = self._read(run) | (set(clients) - self.settled)
        order = [*digests.places(self.spec, self.targets)]
        for target, where in order:
            if where not in self.made or {where, where._replace(level="")} & fresh:
                self.stale.add(where)
            if where in self.stale - self.settled and self._due(where, clients):
                self._make(target, where, clients)
        for where in clients:
            self.settled.add(where)
            self.open.pop(where, None)
        return Now(tuple(self.made[where] for _, where in order), (), self.total, self.spent)

    def _begin(self, run: Run) -> None:
        """Take what the worker kept of levels that have ended already."""
        for where, level in digests.kept_levels(run).items():
            self.made[where] = level.digest
            self.settled.add(where)
            self.spent += level.spent

    def _due(self, where: LevelKey, clients: Mapping[LevelKey, Client]) -> bool:
        """A level with thousands of samples is dear to compute, on the machine that measures it:
        while it goes on that takes a small share of the time."""
        return where in clients or time.monotonic() >= self.rest.get(where, 0.0)

    def _make(self, target: Target, where: LevelKey, clients: Mapping[LevelKey, Client]) -> None:
        began = time.monotonic()
        warm = self.open.get(where._replace(level=""), ())
        taken = [*warm, *self.open.get(where, ())]
        self.made[where] = digests.level_digest(self.spec, target, where, taken, clients)
        self.stale.discard(where)
        ended = time.monotonic()
        self.rest[where] = ended + REST * (ended - began)

    def _read(self, run: Run) -> set[LevelKey]:
        """Take in the rows that are new; gives the levels they belong to. A load run only
        ever adds rows, so the highest id seen so far tells which those are."""
        row_id: Any = SampleRow.id
        columns = (getattr(SampleRow, name) for name in LevelKey._fields)
        rows: Any = SampleRow.select(row_id, *columns).where(
            SampleRow.run == run.id, row_id > self.last_id
        )
        found = [(i, LevelKey(*where)) for i, *where in rows.order_by(row_id).tuples()]
        new = [i for i, where in found if where not in self.settled]
        fresh: set[LevelKey] = set()
        for start in range(0, len(new), FEW_ROWS):
            fresh |= self._take(load_samples(run, only=new[start : start + FEW_ROWS]))
        self.total += len(found)
        self.last_id = found[-1][0] if found else self.last_id
        return fresh

    def _take(self, samples: Sequence[Sample]) -> set[LevelKey]:
        self.spent = self.spent.plus(samples)
        fresh = set()
        for sample in samples:
            key = sample.key
            where = LevelKey(key.provider, key.model, key.context_tokens, key.level)
            self.open.setdefault(where, []).append(replace(sample, text=""))
            fresh.add(where)
        return fresh
