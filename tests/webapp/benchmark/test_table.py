"""The results table: columns, order, and what a cell says."""

from __future__ import annotations

from dataclasses import replace

import pytest

from engine.report import Result, results
from tests.webapp.benchmark.builders import TARGETS, samples_of, spec_of
from webapp.benchmark import table


def rows_of(tiers: tuple[int, ...] = (0,), runs: int = 10) -> list[Result]:
    spec = spec_of(TARGETS, context_tiers=tiers, runs=runs)
    return results(samples_of(spec, TARGETS), TARGETS, spec)


def cell(result: Result, key: str) -> str:
    return table.KEYS[key].text(result)


def test_the_context_has_a_column_where_it_says_something() -> None:
    assert "context" not in [column.key for column in table.shown(rows_of())]
    assert "context" in [column.key for column in table.shown(rows_of((0, 1000)))]
    assert "context" in [column.key for column in table.shown(rows_of((1000,)))]


def test_the_fastest_stands_first_within_each_context_size() -> None:
    found = [(row.context_tokens, row.label) for row in table.best_first(rows_of((0, 1000)))]
    names = ["fast-small", "jittery", "slow-large"]
    assert found == [(size, name) for size in (0, 1000) for name in names]


@pytest.mark.parametrize("key", [column.key for column in table.COLUMNS])
@pytest.mark.parametrize("descending", [True, False])
def test_every_column_sorts_with_the_unknown_last(key: str, descending: bool) -> None:
    spec = spec_of(TARGETS)
    some = [sample for sample in samples_of(spec, TARGETS) if sample.key.model != "jittery"]
    found = table.order(results(some, TARGETS, spec), key, descending)
    values = [table.KEYS[key].value(row) for row in found]
    known = [value for value in values if value is not None]
    assert values == known + [None] * (len(values) - len(known))
    assert known == sorted(known, key=lambda v: v, reverse=descending)


def test_a_tail_that_needs_more_runs_is_called_what_it_is() -> None:
    few, many = rows_of(runs=10)[0], rows_of(runs=20)[0]
    assert cell(few, "p95").startswith("max ")
    assert cell(many, "p95").isdecimal()


def test_answers_are_counted_against_requests_only_when_some_failed() -> None:
    row = rows_of()[0]
    assert cell(row, "runs") == "10"
    broken = replace(row, requests=replace(row.requests, ok=9, failed=1))
    assert cell(broken, "runs") == "9 of 10"


def test_what_was_not_measured_is_a_dash() -> None:
    empty = results([], TARGETS, spec_of(TARGETS))[0]
    texts = {column.key: column.text(empty) for column in table.COLUMNS}
    assert texts | {"model": "", "runs": "", "context": ""} == dict.fromkeys(texts, "–") | {
        "model": "",
        "runs": "",
        "context": "",
    }
    assert texts["runs"] == "0"


def test_a_row_keeps_the_colour_of_its_model() -> None:
    colours = {(target.provider, target.model): i for i, target in enumerate(TARGETS, 1)}
    rows = table.rows(table.best_first(rows_of()), colours)
    assert [(row.result.label, row.number) for row in rows] == [
        ("fast-small", 1),
        ("jittery", 3),
        ("slow-large", 2),
    ]


def test_a_cache_that_answered_is_a_word_beside_the_model() -> None:
    fast = rows_of()[0]
    asked = fast.tokens.input or 0
    some, hardly = (
        replace(fast, tokens=replace(fast.tokens, cached=cached))
        for cached in (asked // 2, asked // 200)
    )
    assert table.cached(some, warm=False) == [("50\u202f% cached", "warn")]
    assert table.cached(some, warm=True) == [("50\u202f% cached", "")]
    assert table.cached(hardly, warm=False) == table.cached(fast, warm=False) == []
