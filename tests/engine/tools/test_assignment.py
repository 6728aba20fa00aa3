"""The best pairing, held against all pairings."""

from __future__ import annotations

from itertools import combinations, permutations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.tools.assignment import best_pairs, best_pairs_in_order

SCORES = st.sampled_from([0.0, 0.25, 0.5, 1.0]) | st.floats(0, 1)
MATRICES = st.integers(1, 5).flatmap(
    lambda columns: st.lists(
        st.lists(SCORES, min_size=columns, max_size=columns), min_size=1, max_size=5
    )
)


def total(scores: list[list[float]], pairs: list[tuple[int, int]]) -> float:
    return sum(scores[row][column] for row, column in pairs)


@settings(deadline=None, max_examples=200)
@given(MATRICES)
def test_no_pairing_has_a_higher_total(scores: list[list[float]]) -> None:
    rows, columns = len(scores), len(scores[0])
    size = min(rows, columns)
    pairs = best_pairs(scores)
    assert len({row for row, _ in pairs}) == len({column for _, column in pairs}) == size
    every = (
        list(zip(chosen, order, strict=True))
        for chosen in combinations(range(rows), size)
        for order in permutations(range(columns), size)
    )
    assert total(scores, pairs) == pytest.approx(max(total(scores, item) for item in every))


@settings(deadline=None, max_examples=200)
@given(MATRICES)
def test_no_rising_pairing_has_a_higher_total(scores: list[list[float]]) -> None:
    rows, columns = len(scores), len(scores[0])
    pairs = best_pairs_in_order(scores)
    assert pairs == sorted(pairs)
    assert len({column for _, column in pairs}) == len(pairs)
    every = (
        list(zip(chosen, order, strict=True))
        for size in range(min(rows, columns) + 1)
        for chosen in combinations(range(rows), size)
        for order in combinations(range(columns), size)
    )
    assert total(scores, pairs) == pytest.approx(max(total(scores, item) for item in every))


def test_nobody_to_pair_with() -> None:
    assert best_pairs([]) == best_pairs([[]]) == []
    assert best_pairs_in_order([[None, None]]) == []


def test_large_groups_are_paired_in_reasonable_time() -> None:
    size = 61
    partner = [row * 7 % size for row in range(size)]
    scores = [
        [1.0 if column == partner[row] else (row + column) % 9 / 10 for column in range(size)]
        for row in range(size)
    ]
    assert best_pairs(scores) == list(enumerate(partner))
