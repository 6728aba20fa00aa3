"""What a load level gives at full strength, held against levels of known pace."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.samples import Sample, SampleKey, Tokens
from engine.speed.steady import Window, answers_within, steady, tokens_within

SERVICE_S, FIRST_S, TOKENS = 0.4, 0.1, 30


def request(start_s: float, number: int = 0, wait_s: float = 0.0) -> Sample:
    """An answer of 30 tokens, the first after 100 ms and the last after 400 ms."""
    return Sample(
        SampleKey("p", "m", 0, number, False),
        "ok",
        started_at=1_000 + start_s,
        ttft_ms=1e3 * (wait_s + FIRST_S),
        e2e_ms=1e3 * (wait_s + SERVICE_S),
        total_ms=1e3 * (wait_s + SERVICE_S),
        tokens=Tokens(10, TOKENS, source="usage"),
    )


def closed(streams: int, rounds: int, capacity: int = 10_000) -> list[Sample]:
    """A staggered closed loop at an endpoint that serves so many at once."""
    free = [0.0] * capacity
    ready = [SERVICE_S * slot / streams for slot in range(streams)]
    taken = []
    for number in range(streams * rounds):
        slot = min(range(streams), key=ready.__getitem__)
        place = min(range(capacity), key=free.__getitem__) if capacity < streams else slot
        start = ready[slot]
        begin = max(start, free[place]) if capacity < streams else start
        taken.append(request(start, number, begin - start))
        ready[slot] = begin + SERVICE_S
        if capacity < streams:
            free[place] = begin + SERVICE_S
    return taken


@pytest.mark.parametrize("rounds", [3, 4, 9])
@pytest.mark.parametrize("streams", [2, 5, 16])
def test_a_short_level_gives_as_much_as_a_long_one(streams: int, rounds: int) -> None:
    taken = closed(streams, rounds)
    window = steady(taken, streams)
    assert window
    ideal = streams * TOKENS / SERVICE_S
    # The tokens come in three quarters of the time a request takes, all streams spread evenly.
    assert tokens_within(taken, window) / window.seconds == pytest.approx(ideal, rel=0.05)
    assert answers_within(taken, window) / window.seconds == pytest.approx(
        streams / SERVICE_S, rel=0.05
    )


def test_more_streams_than_places_give_no_more() -> None:
    found = []
    for streams in (8, 16, 32):
        taken = closed(streams, 4, capacity=8)
        window = steady(taken, streams)
        assert window
        found.append(tokens_within(taken, window) / window.seconds)
    assert found == pytest.approx([8 * TOKENS / SERVICE_S] * 3, rel=0.05)


def test_a_rate_counts_from_its_first_answers_to_its_last_request() -> None:
    taken = [request(number / 20, number) for number in range(40)]
    window = steady(taken, None)
    assert window
    assert tuple(window) == pytest.approx((1_000.4, 1_001.95))
    assert tokens_within(taken, window) / window.seconds == pytest.approx(20 * TOKENS, rel=0.03)
    assert answers_within(taken, window) / window.seconds == pytest.approx(20, rel=0.03)


@pytest.mark.parametrize(
    ("taken", "streams"),
    [
        ([], 4),
        (closed(4, 1), 4),
        (closed(8, 1)[:5], 8),
        ([request(0), request(0.1)], None),
        ([Sample(SampleKey("p", "m", 0, 0, False), "failed", total_ms=5.0)] * 9, 4),
    ],
)
def test_a_level_that_never_ran_at_full_strength_has_no_such_part(
    taken: Sequence[Sample], streams: int | None
) -> None:
    assert steady(taken, streams) is None


@given(st.floats(0, 3), st.floats(0, 3), st.floats(0, 3))
def test_windows_side_by_side_share_every_token_out(a: float, b: float, c: float) -> None:
    first, middle, last = sorted((a, b, c))
    taken = closed(3, 3)
    parts = [Window(1_000 + x, 1_000 + y) for x, y in ((first, middle), (middle, last))]
    whole = tokens_within(taken, Window(1_000 + first, 1_000 + last))
    assert sum(tokens_within(taken, part) for part in parts) == pytest.approx(whole, abs=1e-4)
    assert tokens_within(taken, Window(0, 9_999)) == pytest.approx(9 * TOKENS)
    assert answers_within(taken, Window(0, 9_999)) == pytest.approx(9)
