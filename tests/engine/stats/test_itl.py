"""Inter-token latency: what counts once, what counts by tokens."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.samples import Arrival, pack_arrivals, unpack_arrivals
from engine.stats import Summary, describe, pooled_itl

MS = 1_000_000


def stream(*gaps_ms: float, tokens: int = 1, first_ms: float = 100) -> tuple[Arrival, ...]:
    at, out = first_ms, [Arrival(int(first_ms * MS), tokens)]
    for gap in gaps_ms:
        at += gap
        out.append(Arrival(int(at * MS), tokens))
    return tuple(out)


def test_the_mean_is_time_by_tokens_and_percentiles_count_each_gap_once() -> None:
    bundled = (Arrival(0, 1), Arrival(10 * MS, 1), Arrival(50 * MS, 4))
    summary = pooled_itl([bundled])
    assert summary.n == 2
    assert summary.mean == pytest.approx(50 / 5)
    assert (summary.min, summary.p50, summary.max) == (10, 25, 40)


def test_the_first_tokens_and_their_delay_belong_to_no_gap() -> None:
    slow_start = (Arrival(9_000 * MS, 40), Arrival(9_010 * MS, 1))
    assert pooled_itl([slow_start]).mean == 10


def test_between_events_of_one_read_no_gap_was_seen() -> None:
    reads = stream(0, 0, 30, 0, 20)
    summary = pooled_itl([reads])
    assert (summary.n, summary.min, summary.max) == (2, 20, 30)
    assert summary.mean == pytest.approx(50 / 3)
    assert pooled_itl([stream(0, 0, 0)]) == Summary()


def test_the_mean_is_pooled_over_streams_not_averaged_over_them() -> None:
    short, long = stream(40), stream(*[10] * 9)
    assert pooled_itl([short, long]).mean == pytest.approx((40 + 90) / 10)


def test_unknown_token_counts_count_as_one() -> None:
    assert pooled_itl([stream(8, 12, tokens=0)]).mean == pytest.approx(10)


def test_streams_without_a_gap_leave_nothing() -> None:
    assert pooled_itl([]) == pooled_itl([(), (Arrival(5, 1),)]) == Summary()


def test_one_stream_has_the_interval_of_its_gaps() -> None:
    gaps = [9.0, 10.0, 11.0, 12.0, 13.0, 30.0]
    assert pooled_itl([stream(*gaps)]).ci95 == pytest.approx(describe(gaps).ci95)


def test_equal_gaps_give_the_value_twice() -> None:
    assert pooled_itl([stream(*[10] * 50)] * 3).ci95 == (10, 10)


def test_streams_that_differ_widen_the_interval() -> None:
    rng = np.random.default_rng(2)

    def interval(centres: list[float]) -> float:
        low, high = pooled_itl([stream(*rng.normal(c, 0.5, 200)) for c in centres]).ci95
        assert low is not None
        assert high is not None
        return high - low

    assert interval([8, 9, 10, 11, 12]) > 5 * interval([10, 10, 10, 10, 10])


def test_the_interval_covers_the_middle_of_streams_that_differ() -> None:
    rng, covered = np.random.default_rng(23), 0
    for _ in range(200):
        streams = [stream(*rng.normal(rng.normal(10, 1), 0.3, 60)) for _ in range(6)]
        low, high = pooled_itl(streams).ci95
        assert low is not None
        assert high is not None
        covered += low <= 10 <= high
    assert covered / 200 >= 0.90


@given(st.lists(st.lists(st.floats(0.01, 1_000), min_size=1, max_size=20), min_size=1, max_size=6))
def test_the_interval_holds_the_median_and_stays_in_range(lists: list[list[float]]) -> None:
    s = pooled_itl([stream(*gaps) for gaps in lists])
    assert s.n == sum(len(gaps) for gaps in lists)
    assert s.min is not None
    assert s.p50 is not None
    assert s.max is not None
    low, high = s.ci95
    if s.n > 1:
        assert low is not None
        assert high is not None
        assert s.min <= low <= s.p50 <= high <= s.max


@given(st.lists(st.lists(st.tuples(st.integers(0, 10**9), st.integers(0, 9)), max_size=12)))
def test_streams_from_storage_count_like_fresh_ones(streams: list[list[tuple[int, int]]]) -> None:
    fresh = [tuple(Arrival(at, n) for at, n in sorted(stream)) for stream in streams]
    stored = [unpack_arrivals(pack_arrivals(stream)) for stream in fresh]
    assert pooled_itl(stored) == pooled_itl(fresh)
