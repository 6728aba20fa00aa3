"""How far an evaluation is: in all, by model, and how long it will take."""

from __future__ import annotations

import time
from typing import NamedTuple

from webapp.models import Job
from webapp.tools.cells import Column, Figures

# Below this much of the work nothing is forecast.
TELLING_SHARE = 0.02


class Lane(NamedTuple):
    """One model's row: trials that have ended of all, and how many of the scored ones passed."""

    column: Column
    done: int
    failed: int
    total: int
    passed: int

    @property
    def label(self) -> str:
        return self.column.label

    @property
    def number(self) -> int:
        """Its colour."""
        return self.column.number


class Progress(NamedTuple):
    """`left_s` is None while nothing tells it."""

    done: int
    failed: int
    total: int
    left_s: float | None
    lanes: list[Lane]

    @property
    def percent(self) -> int:
        """Whole percent, 100 only when all is done."""
        return 100 * self.done // self.total if self.total else 0


def progress(known: Figures, job: Job | None) -> Progress:
    """What has ended until now."""
    lanes = [_lane(known, column) for column in known.columns]
    done, total = known.done, max(known.expected, known.done)
    return Progress(done, known.failed, total, _left_s(job, done, total), lanes)


def _lane(known: Figures, column: Column) -> Lane:
    cells = [known.cell(case, column) for case in known.cases]
    return Lane(
        column,
        sum(cell.ended for cell in cells),
        sum(cell.failed - cell.retried for cell in cells),
        sum(cell.expected for cell in cells),
        sum(cell.passed for cell in cells),
    )


def _left_s(job: Job | None, done: int, total: int) -> float | None:
    if job is None or job.state != "running" or job.started_at is None:
        return None
    if done < max(1, TELLING_SHARE * total):
        return None
    return (time.time() - job.started_at) * (total - done) / done
