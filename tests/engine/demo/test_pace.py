"""Pace: what models.yaml promises is what the seeded model draws in the long run."""

from __future__ import annotations

import itertools
import statistics
from dataclasses import replace
from random import Random

import pytest

from engine.demo.catalog import Model, catalog
from engine.demo.pace import Slots, first_token_ns, gaps_ns, mean_gap_ms

MODELS = catalog().models


def gaps_ms(model: Model, n: int, seed: int = 1) -> list[float]:
    return [gap / 1e6 for gap in itertools.islice(gaps_ns(model, Random(seed)), n)]


@pytest.mark.parametrize(("name", "tps"), [("fast-small", 180), ("slow-large", 87)])
def test_a_steady_model_keeps_its_speed_within_a_percent(name: str, tps: float) -> None:
    assert 1_000 / statistics.fmean(gaps_ms(MODELS[name], 20_000)) == pytest.approx(tps, rel=0.01)


def test_the_jittery_model_reaches_120_tokens_a_second_with_its_stalls() -> None:
    model = MODELS["jittery"]
    assert 1_000 / mean_gap_ms(model) == pytest.approx(120, rel=0.01)
    assert statistics.fmean(gaps_ms(model, 40_000)) == pytest.approx(mean_gap_ms(model), rel=0.03)


def test_jitter_changes_the_shape_and_not_the_mean() -> None:
    still, shaken = (replace(MODELS["slow-large"], gap_jitter=sigma) for sigma in (0.0, 0.8))
    assert len(set(gaps_ms(still, 50))) == 1
    drawn = gaps_ms(shaken, 40_000)
    assert statistics.fmean(drawn) == pytest.approx(shaken.gap_ms, rel=0.03)
    assert statistics.median(drawn) < 0.8 * shaken.gap_ms


def test_stalls_come_as_often_and_last_as_long_as_said() -> None:
    model = replace(MODELS["jittery"], gap_jitter=0.0)
    stalls = [gap - model.gap_ms for gap in gaps_ms(model, 40_000) if gap > model.gap_ms + 1]
    assert len(stalls) / 40_000 == pytest.approx(model.stall.chance, rel=0.15)
    assert min(stalls) >= model.stall.low_ms - 0.01
    assert max(stalls) <= model.stall.high_ms + 0.01


@pytest.mark.parametrize("name", list(MODELS))
def test_the_first_token_waits_for_the_base_and_the_uncached_input(name: str) -> None:
    model = replace(MODELS[name], first_token_jitter=0.0)
    assert first_token_ns(model, 0, Random(1)) == round(model.first_token_ms * 1e6)
    expected = model.first_token_ms + 20 * model.ms_per_1k_input
    assert first_token_ns(model, 20_000, Random(1)) == pytest.approx(expected * 1e6)


def test_the_same_dice_give_the_same_pace() -> None:
    model = MODELS["jittery"]
    assert gaps_ms(model, 100, seed=9) == gaps_ms(model, 100, seed=9)
    assert gaps_ms(model, 100, seed=9) != gaps_ms(model, 100, seed=10)


def test_streams_above_the_capacity_wait_in_order_of_arrival() -> None:
    started: list[str] = []
    slots = Slots(2)
    alice, bob, charlie, dora = (lambda n=n: started.append(n) for n in "abcd")
    assert [slots.take(who) for who in (alice, bob, charlie, dora)] == [True, True, False, False]
    slots.leave(bob)
    assert started == ["a", "b", "c"]
    slots.leave(alice)
    assert started == ["a", "b", "c", "d"]


def test_who_gives_up_waiting_takes_no_room() -> None:
    started: list[str] = []
    slots = Slots(1)
    alice, bob, charlie = (lambda n=n: started.append(n) for n in "abc")
    for who in (alice, bob, charlie):
        slots.take(who)
    slots.leave(bob)
    slots.leave(alice)
    assert started == ["a", "c"]
    slots.leave(charlie)
    assert slots.take(alice)
