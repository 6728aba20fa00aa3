"""How far each model is, told from results: of a load run, and of any run that has ended."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from engine.report import Result
from engine.report.wording import pressed
from engine.samples import LevelKey, SampleKey
from engine.specs import TargetRef
from engine.speed.levels import Level, levels_of
from webapp.benchmark.estimate import Pace, requests_of
from webapp.benchmark.figures import Figures


@dataclass(frozen=True, slots=True)
class Lane:
    """One model's row: requests done of all (warm-ups are requests too), and the speed of
    its last answer in tokens per second. `number` is its colour; `level` says what it is
    doing in a load run ("32 streams, level 6 of 7")."""

    number: int
    label: str
    done: int
    failed: int
    total: int
    output_tps: float | None
    level: str = ""


def levels_progress(figures: Figures) -> tuple[list[Lane], float | None]:
    """The lanes, and about how many seconds are left (None while nothing tells)."""
    rows = list(figures.results)
    expected = _expected(figures, rows)
    lanes = []
    for number, target in enumerate(figures.targets, 1):
        mine = [row for row in rows if (row.provider, row.model) == (target.provider, target.model)]
        done = sum(row.requests.ok + row.requests.failed for row in mine) + _warmups(mine)
        speeds = [row.output_tps.p50 for row in mine if row.output_tps.n]
        lanes.append(
            Lane(
                number=number,
                label=target.label or target.model,
                done=done,
                failed=sum(row.requests.failed for row in mine),
                total=max(done, expected[target.ref]),
                output_tps=speeds[-1] if speeds else None,
                level=_doing(figures, mine),
            )
        )
    return lanes, _left_s(figures, rows)


def _doing(figures: Figures, rows: Sequence[Result]) -> str:
    """ "32 streams, level 6 of 7"; empty before the first answer and after the last."""
    begun = [i for i, row in enumerate(rows) if row.level and row.requests.total]
    if not begun or _where(rows[begun[-1]]) in figures.finished:
        return ""
    return f"{pressed(rows[begun[-1]])}, level {begun[-1] + 1} of {len(rows)}"


def _warmups(rows: Iterable[Result]) -> int:
    """Each level repeats the warm-ups of its target and size."""
    once = {row.context_tokens: row.warmups for row in rows}
    return sum(warm.ok + warm.failed for warm in once.values())


def _expected(figures: Figures, rows: Sequence[Result]) -> dict[TargetRef, int]:
    """Requests by target: as they were for levels that have ended, as planned for the others;
    none for those that were left out."""
    position = {_where(row): i for i, row in enumerate(rows)}
    last = max((i for i, row in enumerate(rows) if row.requests.total), default=-1)
    found = {target.ref: 0 for target in figures.targets}
    for key, planned in requests_of(figures.spec, figures.targets, _paces(rows)).items():
        where = LevelKey(key.provider, key.model, key.context_tokens, key.level)
        at = position.get(where, len(rows))
        ended = bool(where.level) and (where in figures.finished or at < last)
        times = rows[at].requests.total if ended else planned
        found[TargetRef(provider=key.provider, model=key.model)] += times
    return found


def _where(row: Result) -> LevelKey:
    return LevelKey(row.provider, row.model, row.context_tokens, row.level)


def _paces(rows: Iterable[Result]) -> dict[TargetRef, Pace]:
    """How fast targets answered in this run, at their latest level."""
    return {
        TargetRef(provider=row.provider, model=row.model): Pace(
            row.ttft_ms.p50 / 1_000, row.output_tps.p50
        )
        for row in rows
        if row.ttft_ms.p50 is not None and row.output_tps.p50
    }


def _left_s(figures: Figures, rows: Sequence[Result]) -> float | None:
    """Levels follow each other; each takes its requests at the pace of the answers so far."""
    if figures.spec.load is None:
        return 0.0 if any(row.requests.total for row in rows) else None
    lasted = {row.model: row.e2e_ms.mean / 1_000 for row in rows if row.e2e_ms.mean is not None}
    if not lasted:
        return None
    usual = list(lasted.values())[-1]
    levels = {level.label: level for level in levels_of(figures.spec.load)}
    wanted = requests_of(figures.spec, figures.targets, _paces(rows))
    last = max((i for i, row in enumerate(rows) if row.requests.total), default=0)
    left = 0.0
    for row in rows[last:]:
        if _where(row) not in figures.finished:
            key = SampleKey(row.provider, row.model, row.context_tokens, 0, False, row.level)
            missing = max(0, wanted.get(key, 0) - row.requests.total)
            left += _takes_s(levels[row.level], missing, lasted.get(row.model, usual))
    return left


def _takes_s(level: Level, requests: int, one_s: float) -> float:
    if not requests:
        return 0.0
    if level.concurrency is None:
        return requests / level.value + one_s
    return max(1.0, requests / level.concurrency) * one_s
