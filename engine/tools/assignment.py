"""Who goes with whom: the pairing of two groups with the highest total, and the best one
that keeps the order of both."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import permutations

Scores = Sequence[Sequence[float]]
_TRY_ALL_MAX = 3


def best_pairs(scores: Scores) -> list[tuple[int, int]]:
    """(row, column) pairs with the highest sum of scores; the smaller group is paired whole.
    Scores are not negative. Of equal pairings the one nearest to the order of both wins for
    small groups."""
    rows, columns = len(scores), len(scores[0]) if scores else 0
    if not rows or not columns:
        return []
    if rows > columns:
        turned = [[scores[row][column] for row in range(rows)] for column in range(columns)]
        return sorted((row, column) for column, row in best_pairs(turned))
    if columns <= _TRY_ALL_MAX:
        best = max(
            permutations(range(columns), rows),
            key=lambda chosen: sum(scores[row][column] for row, column in enumerate(chosen)),
        )
        return list(enumerate(best))
    return list(enumerate(_hungarian(scores, rows, columns)))


def _hungarian(scores: Scores, rows: int, columns: int) -> list[int]:
    """The column of each row (rows <= columns), by shortest augmenting paths over potentials:
    time rows² x columns."""
    row_potential, column_potential = [0.0] * (rows + 1), [0.0] * (columns + 1)
    owner = [0] * (columns + 1)  # row of each column, from 1; column 0 holds the row to place
    for row in range(1, rows + 1):
        owner[0] = row
        column, came_from = _augment(scores, row_potential, column_potential, owner)
        while column:
            previous = came_from[column]
            owner[column], column = owner[previous], previous
    chosen = [0] * rows
    for column in range(1, columns + 1):
        if owner[column]:
            chosen[owner[column] - 1] = column - 1
    return chosen


def _augment(
    scores: Scores, row_potential: list[float], column_potential: list[float], owner: list[int]
) -> tuple[int, list[int]]:
    """The free column that costs least to reach, and the path to each column."""
    columns = len(owner) - 1
    slack = [float("inf")] * (columns + 1)
    came_from, reached = [0] * (columns + 1), [False] * (columns + 1)
    column = 0
    while owner[column]:
        reached[column] = True
        row, step, nearest = owner[column], float("inf"), 0
        for other in range(1, columns + 1):
            if reached[other]:
                continue
            cost = -scores[row - 1][other - 1] - row_potential[row] - column_potential[other]
            if cost < slack[other]:
                slack[other], came_from[other] = cost, column
            if slack[other] < step:
                step, nearest = slack[other], other
        for other in range(columns + 1):
            if reached[other]:
                row_potential[owner[other]] += step
                column_potential[other] -= step
            else:
                slack[other] -= step
        column = nearest
    return column, came_from


def best_pairs_in_order(scores: Sequence[Sequence[float | None]]) -> list[tuple[int, int]]:
    """(row, column) pairs that rise in both, with the highest sum; None may not be paired."""
    rows, columns = len(scores), len(scores[0]) if scores else 0
    best = [[0.0] * (columns + 1) for _ in range(rows + 1)]
    for row in range(rows - 1, -1, -1):
        for column in range(columns - 1, -1, -1):
            score = scores[row][column]
            paired = -1.0 if score is None else score + best[row + 1][column + 1]
            best[row][column] = max(paired, best[row + 1][column], best[row][column + 1])
    pairs: list[tuple[int, int]] = []
    row = column = 0
    while row < rows and column < columns:
        score = scores[row][column]
        if score is not None and best[row][column] == score + best[row + 1][column + 1]:
            pairs.append((row, column))
            row, column = row + 1, column + 1
        elif best[row][column] == best[row + 1][column]:
            row += 1
        else:
            column += 1
    return pairs
