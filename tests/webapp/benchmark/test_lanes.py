"""How far a load run is, told from its levels."""

from __future__ import annotations

from typing import Any

import pytest

from engine.specs import LoadSpec
from jobs.store import store_samples
from tests.webapp.benchmark.builders import TARGETS, samples_of, spec_of, stored_run
from tests.webapp.conftest import Person
from webapp.benchmark.figures import Figures, figures
from webapp.benchmark.progress import Progress, progress
from webapp.models import SampleRow

TWO = TARGETS[:2]
LOAD: dict[str, Any] = {"load": LoadSpec(levels=(1, 4), requests=10)}


def seen(alice: Person, done: int, **fields: Any) -> Figures:
    spec = LOAD | fields
    return figures(stored_run(alice.user, TWO, state="running", done=done, **spec), live=True)


def shown(alice: Person, done: int, **fields: Any) -> Progress:
    return progress(seen(alice, done, **fields), 0)


def test_lanes_and_the_whole_agree(alice: Person) -> None:
    now = shown(alice, 1 + 10 + 4)
    assert (now.done, now.total) == (15, 42)
    assert [(lane.done, lane.total) for lane in now.lanes] == [(15, 21), (0, 21)]
    assert now.lanes[0].level == "4 streams, level 2 of 2"
    assert now.lanes[1].level == ""


def test_levels_that_were_passed_over_are_not_missing(alice: Person) -> None:
    every = samples_of(spec_of(TWO, **LOAD), TWO)
    run = stored_run(alice.user, TWO, state="running", done=1 + 10, **LOAD)
    second = [item for item in every if item.key.model == "slow-large"]
    store_samples(run, second[:3])
    now = progress(figures(run, live=True), 0)
    assert [(lane.done, lane.total) for lane in now.lanes] == [(11, 11), (3, 21)]


def test_a_level_that_ends_by_time_is_counted_by_its_pace(alice: Person) -> None:
    timed = LoadSpec(arrivals="constant", levels=(5,), duration_s=4)
    known = seen(alice, 1, load=timed)
    assert progress(known, 2).total == 2 * (1 + 20)


def test_what_is_left_follows_the_answers_so_far(alice: Person) -> None:
    assert shown(alice, 0).left_s is None
    early, late = shown(alice, 1 + 5).left_s, shown(alice, 1 + 10 + 5).left_s
    assert early is not None
    assert late is not None
    assert 0 < late < early


def test_a_run_that_is_done_lacks_nothing(alice: Person) -> None:
    run = stored_run(alice.user, TWO, done=1 + 10, **LOAD)
    now = progress(figures(run), 42, done=True)
    assert (now.done, now.total) == (11, 11)
    assert [lane.total for lane in now.lanes] == [11, 0]
    stopped = progress(figures(run), 42)
    assert (stopped.done, stopped.total) == (11, 42)


@pytest.mark.parametrize("price", [None, 0.001])
def test_an_unknown_cost_is_counted_and_never_nothing(alice: Person, price: float | None) -> None:
    run = stored_run(alice.user, TWO, state="running", done=6, **LOAD)
    SampleRow.update(cost_usd=price).execute()
    now = progress(figures(run, live=True), 0)
    assert now.unpriced == (6 if price is None else 0)
    assert now.spent_usd == (None if price is None else pytest.approx(6 * price))
