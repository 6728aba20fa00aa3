"""What the report of a run draws, made once: results without samples, curves, the verdict.

A load run can have a hundred thousand samples, and unpacking their arrival times takes
seconds. The worker makes the digest when it has measured the last sample; where that did not
happen (the worker was killed, the run is older than this) whoever looks first does.
"""

from __future__ import annotations

import json
import logging
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, NamedTuple

from peewee import IntegrityError, OperationalError

from engine.report import Verdict, results, verdict
from engine.report.digest import Digest, digest, dump, load
from engine.report.result import Client
from engine.samples import LevelKey, Sample
from engine.specs import BenchmarkSpec
from engine.speed.levels import levels_of
from engine.speed.plan import skip_notice
from engine.targets import Target
from jobs.results import run_spec
from jobs.store import load_clients, load_samples, load_targets
from webapp import db
from webapp.models import Run, RunDigest, SampleRow

log = logging.getLogger(__name__)

# To be raised when the same samples are drawn in another way than before.
VERSION = 3
# The stamp of a row that holds levels of a run that goes on.
PARTIAL = f"{VERSION} levels"


@dataclass(frozen=True, slots=True)
class Spent:
    """USD for all answers whose price is known, None without one; `unpriced` counts the
    answers whose cost is unknown. Warm-ups cost too."""

    usd: float | None = None
    unpriced: int = 0

    def plus(self, samples: Iterable[Sample]) -> Spent:
        """With the answers among `samples`."""
        costs = [sample.cost_usd for sample in samples if sample.ok or sample.cost_usd is not None]
        known = [cost for cost in costs if cost is not None]
        total = math.fsum([*known, self.usd or 0.0]) if known else self.usd
        return Spent(total, self.unpriced + len(costs) - len(known))

    def __add__(self, other: Spent) -> Spent:
        known = [usd for usd in (self.usd, other.usd) if usd is not None]
        return Spent(math.fsum(known) if known else None, self.unpriced + other.unpriced)


NOTHING_SPENT = Spent()


class Level(NamedTuple):
    """What is kept of a load level that has ended; `spent` is without its warm-ups."""

    digest: Digest
    spent: Spent


@dataclass(frozen=True, slots=True)
class Kept:
    """The digests of a run in the order of its spec, its verdict, what it cost, and how many
    samples it has, warm-ups included."""

    digests: tuple[Digest, ...]
    verdict: Verdict
    spent: Spent
    samples: int


def stored(run: Run) -> Kept | None:
    """The stored digest of `run`; None when there is none or the run has changed since."""
    stamp = _stamp(run)
    row = RunDigest.get_or_none(RunDigest.run == run.id)
    return _load(row.content) if row is not None and row.stamp == stamp else None


def kept(run: Run) -> Kept:
    """The stored digest of `run`, made now when there is none or the run has changed."""
    return stored(run) or refresh(run)


def refresh(run: Run) -> Kept:
    """Make the digest of `run` and store it; when the database is locked it is only given."""
    stamp = _stamp(run)
    made = _make(run)
    _store(run, stamp, _dump(made))
    return made


def keep_level(run: Run, where: LevelKey) -> None:
    """Make and store the digest of a level that has just ended, so that neither a page that is
    opened meanwhile nor the end of the run reads its samples again."""
    row = RunDigest.get_or_none(RunDigest.run == run.id)
    levels = row.content.get("levels", {}) if row is not None and row.stamp == PARTIAL else {}
    spec = run_spec(run)
    target = next(target for target, place in places(spec, load_targets(run)) if place == where)
    warm = load_samples(run, where=where._replace(level=""))
    mine = load_samples(run, where=where)
    made = level_digest(spec, target, where, [*warm, *mine], load_clients(run))
    entry = {"digest": dump(made), "spent": asdict(Spent().plus(mine))}
    _store(run, PARTIAL, {"levels": {**levels, _name(where): entry}})


def kept_levels(run: Run) -> dict[LevelKey, Level]:
    """The levels that have ended, as far as they are stored, while the run goes on."""
    row = RunDigest.get_or_none(RunDigest.run == run.id)
    if row is None or row.stamp != PARTIAL:
        return {}
    return {
        where: Level(load(entry["digest"]), Spent(**entry["spent"]))
        for where in load_clients(run)
        if (entry := row.content["levels"].get(_name(where))) is not None
    }


def _name(where: LevelKey) -> str:
    return json.dumps(where)


def _store(run: Run, stamp: str, content: dict[str, Any]) -> None:
    row = RunDigest.insert(run=run.id, stamp=stamp, content=content)
    try:
        with db.write():
            row.on_conflict_replace().execute()
    except (OperationalError, IntegrityError) as error:
        log.warning("the digest of run %s is not stored yet: %s", run.id, error)


def places(spec: BenchmarkSpec, targets: Sequence[Target]) -> Iterator[tuple[Target, LevelKey]]:
    """Every place of a load run that is measured, in its order."""
    for target in targets:
        for size in spec.context_tiers:
            if skip_notice(spec, target, size) is None:
                for level in levels_of(spec.load) if spec.load else ():
                    yield target, LevelKey(target.provider, target.model, size, level.label)


def level_digest(
    spec: BenchmarkSpec,
    target: Target,
    where: LevelKey,
    samples: Iterable[Sample],
    clients: Mapping[LevelKey, Client],
) -> Digest:
    """The digest of one load level; `samples` are its own and the warm-ups of its target."""
    load_spec = spec.load
    if load_spec is None:
        raise ValueError("a sequential run has no levels")
    (value,) = (level.value for level in levels_of(load_spec) if level.label == where.level)
    one = load_spec.model_copy(update={"levels": (value,)})
    alone = spec.model_copy(update={"context_tiers": (where.context_tokens,), "load": one})
    taken = list(samples)
    (result,) = results(taken, [target], alone, clients)
    return digest(result, taken)


def _make(run: Run) -> Kept:
    spec, targets = run_spec(run), load_targets(run)
    count = SampleRow.select().where(SampleRow.run == run.id).count()
    if spec.load is None:
        samples = load_samples(run)
        found = results(samples, targets, spec)
        warm = [sample for sample in samples if sample.key.warmup]
        digests = [digest(result, warm) for result in found]
        return Kept(tuple(digests), verdict(found), Spent().plus(samples), count)
    clients, spent, known = load_clients(run), Spent(), kept_levels(run)
    digests = []
    warmed: set[LevelKey] = set()
    for target, where in places(spec, targets):
        start = where._replace(level="")
        warm = load_samples(run, where=start)
        if start not in warmed:
            spent = spent.plus(warm)
            warmed.add(start)
        level = known.get(where)
        if level is None:
            mine = load_samples(run, where=where)
            made = level_digest(spec, target, where, [*warm, *mine], clients)
            level = Level(made, Spent().plus(mine))
        spent += level.spent
        digests.append(level.digest)
    trouble = next((item.trouble for item in digests if item.trouble), "")
    said = verdict([item.result for item in digests], trouble)
    return Kept(tuple(digests), said, spent, count)


def _stamp(run: Run) -> str:
    """Changes with everything that a digest is made from: samples are only added, and those
    measured again belong to another attempt."""
    count = SampleRow.select().where(SampleRow.run == run.id).count()
    attempt = run.job.attempt if run.job else 0
    return f"{VERSION} {count} {attempt} {len(run.levels)}"


def _dump(made: Kept) -> dict[str, Any]:
    return {
        "digests": [dump(item) for item in made.digests],
        "verdict": asdict(made.verdict),
        "spent": asdict(made.spent),
        "samples": made.samples,
    }


def _load(content: Mapping[str, Any]) -> Kept:
    said = content["verdict"]
    return Kept(
        digests=tuple(load(item) for item in content["digests"]),
        verdict=Verdict(said["headline"], said["interval"], tuple(said["notes"])),
        spent=Spent(**content["spent"]),
        samples=content["samples"],
    )
