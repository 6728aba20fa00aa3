"""How far a run is."""

from __future__ import annotations

from dataclasses import replace

import pytest

from engine.report import results
from engine.report.digest import digest
from engine.samples import Sample, Try
from jobs.digests import Spent
from tests.webapp.benchmark.builders import TARGETS, samples_of, spec_of
from webapp.benchmark.figures import Figures
from webapp.benchmark.progress import progress

FAST, SLOW, JITTERY = TARGETS
SPEC = spec_of(TARGETS, runs=4)
EVERY = samples_of(SPEC, TARGETS)


def known(samples: list[Sample]) -> Figures:
    rows = map(digest, results(samples, TARGETS, SPEC))
    return Figures(SPEC, TARGETS, tuple(rows), tuple(samples), spent=Spent().plus(samples))


def test_counts_and_lanes_agree() -> None:
    now = progress(known(EVERY[:7]), 0)
    assert (now.done, now.total, now.failed, now.percent) == (7, 15, 0, 46)
    assert sum(lane.done for lane in now.lanes) == now.done
    assert sum(lane.total for lane in now.lanes) == now.total
    assert [lane.number for lane in now.lanes] == [1, 2, 3]


def test_failed_requests_are_done_and_counted_apart() -> None:
    failed = replace(EVERY[0], outcome="failed", error="timeout", output_tps=None, cost_usd=None)
    now = progress(known([failed, *EVERY[1:4]]), 0)
    assert (now.done, now.failed) == (4, 1)
    assert next(lane for lane in now.lanes if lane.label == failed.key.model).failed == 1


def test_cut_requests_are_not_done() -> None:
    cut = replace(EVERY[0], outcome="incomplete")
    assert progress(known([cut, EVERY[1]]), 0).done == 1


def test_the_jobs_own_total_counts_once_it_is_known() -> None:
    assert progress(known(EVERY[:3]), 12).total == 12
    assert progress(known(EVERY), 12).total == len(EVERY)


def test_a_lane_shows_the_speed_of_its_last_answer() -> None:
    mine = [sample for sample in EVERY if sample.key.model == "jittery"]
    lanes = {lane.label: lane for lane in progress(known(mine[:3]), 0).lanes}
    assert lanes["jittery"].output_tps == mine[2].output_tps
    assert lanes["slow-large"].output_tps is None


def test_time_left_follows_each_models_own_pace() -> None:
    taken = EVERY[:6]
    lasted = {model: [s.total_ms or 0 for s in taken if s.key.model == model] for model in
              ("fast-small", "slow-large", "jittery")}  # fmt: skip
    expected = sum(
        (5 - len(values)) * sum(values) / len(values) / 1000 for values in lasted.values()
    )
    assert progress(known(taken), 0).left_s == pytest.approx(expected)


def test_nothing_is_promised_before_the_first_answer_and_nothing_is_left_at_the_end() -> None:
    assert progress(known([]), 0).left_s is None
    assert progress(known(EVERY), 0).left_s == 0


def test_waiting_before_a_retry_takes_time_too() -> None:
    waited = replace(EVERY[0], tries=(Try("rate_limited", "Slow down.", 8.0),))
    calm, slow = (progress(known([sample]), 0).left_s for sample in (EVERY[0], waited))
    assert calm is not None
    assert slow is not None
    assert slow - calm == pytest.approx(8 * 14)


def test_money_is_what_was_spent_of_the_bound() -> None:
    now = progress(known(EVERY), 0)
    assert now.spent_usd == pytest.approx(sum(sample.cost_usd or 0 for sample in EVERY))
    assert now.bound_usd is not None
    assert now.spent_usd is not None
    assert now.bound_usd > now.spent_usd
    unpriced = [replace(sample, cost_usd=None) for sample in EVERY]
    assert progress(known(unpriced), 0).spent_usd is None
