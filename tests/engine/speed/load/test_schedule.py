"""Planned send times."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from engine.speed.load.schedule import open_schedule, staggered


def gaps_s(times: object) -> np.ndarray:
    return np.diff(np.asarray(times, dtype=np.int64)) / 1e9


def test_a_constant_rate_is_an_exact_grid() -> None:
    times = open_schedule("constant", 20.0, requests=101)
    assert times[0] == 0
    assert gaps_s(times) == pytest.approx(np.full(100, 0.05))


def test_poisson_arrivals_have_exponential_gaps_that_know_nothing_of_each_other() -> None:
    gaps = gaps_s(open_schedule("poisson", 50.0, requests=1001, seed=3))
    assert np.mean(gaps) == pytest.approx(1 / 50, rel=0.1)
    assert stats.kstest(gaps, "expon", args=(0, 1 / 50)).pvalue > 0.01
    assert abs(np.corrcoef(gaps[:-1], gaps[1:])[0, 1]) <= 0.08


def test_the_same_seed_gives_the_same_schedule() -> None:
    one, two = (open_schedule("poisson", 9.0, requests=50, seed=4) for _ in range(2))
    assert one == two
    assert one != open_schedule("poisson", 9.0, requests=50, seed=5)


def test_a_duration_ends_a_schedule() -> None:
    times = open_schedule("poisson", 100.0, duration_s=2.0, seed=1)
    assert max(times) < 2e9
    assert 150 < len(times) < 250


def test_a_number_of_requests_and_a_duration_end_at_the_earlier() -> None:
    assert len(open_schedule("constant", 10.0, requests=5, duration_s=60)) == 5
    assert len(open_schedule("constant", 10.0, requests=500, duration_s=1)) == 10


def test_a_schedule_without_an_end_is_refused() -> None:
    with pytest.raises(ValueError, match="number of requests or a duration"):
        open_schedule("constant", 10.0)


def test_slots_start_spread_over_one_service_time() -> None:
    assert list(staggered(4, 2.0)) == [0, 500_000_000, 1_000_000_000, 1_500_000_000]
    assert max(staggered(4, 2.0, ramp_s=10.0)) == 7_500_000_000
