"""The knee of a sweep is the lowest level that no higher one beats by 5 % or more."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from engine.report.knee import Sweep, sweeps, widest
from engine.report.result import Result
from tests.engine.report.builders import report, sample


def levels(*reached: float, model: str = "fast") -> list[Result]:
    (one,) = report([sample(model, run) for run in range(3)])
    return [
        replace(one, level=f"c{2**i}", concurrency=2**i, system_output_tps=tps)
        for i, tps in enumerate(reached)
    ]


@pytest.mark.parametrize(
    ("reached", "knee"),
    [
        ((100, 200, 400), None),  # it still grows
        ((100, 200, 204), "c2"),
        ((100, 200, 150, 206), "c2"),
        ((100, 104, 108, 112), "c4"),  # small steps that add up are a gain
        ((400, 100, 100), "c1"),
        ((100,), None),
    ],
)
def test_more_load_stops_paying_at_the_knee(reached: Sequence[float], knee: str | None) -> None:
    (sweep,) = sweeps(levels(*reached))
    assert (sweep.knee and sweep.knee.level) == knee


def test_without_a_knee_the_highest_throughput_is_best() -> None:
    assert Sweep(tuple(levels(100, 200, 400))).best.level == "c4"
    assert Sweep(tuple(levels(100, 200, 204))).best.level == "c2"


def test_sweeps_are_told_apart_by_model_and_leave_out_what_was_not_answered() -> None:
    found = sweeps([*levels(100, 0, 300), *levels(400, model="deep"), *report([sample("one")])])
    assert [[r.level for r in sweep.levels] for sweep in found] == [["c1", "c4"], ["c1"]]
    assert [sweep.first.model for sweep in widest(found)] == ["deep", "fast"]
