"""The results table: its columns, what stands in a cell, and how rows are sorted.

A cell shows the one formatting of a figure that the JSON and CSV twins carry in full.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from engine.report import Result, cost_per_request, numbers
from engine.report.remarks import cached_share
from engine.stats import Interval, confidence_label, tail

CONFIDENCE = {"high": "ok", "medium": "warn", "low": "bad"}
_RANK = {"high": 3.0, "medium": 2.0, "low": 1.0}


@dataclass(frozen=True, slots=True)
class Column:
    """`value` is what rows are sorted by, None last; `hint` explains the heading."""

    key: str
    heading: str
    value: Callable[[Result], float | str | None]
    text: Callable[[Result], str]
    numeric: bool = True
    muted: bool = False
    best_high: bool = True
    hint: str = ""


class Row(NamedTuple):
    """One result with the number of its model's colour, the texts of its cells, and words about
    it as (word, kind of chip)."""

    result: Result
    number: int
    cells: list[tuple[Column, str]]
    marks: list[tuple[str, str]]


def _confidence(result: Result) -> str:
    return confidence_label(result.output_tps) if result.output_tps.n else numbers.NONE


def _tail(result: Result) -> str:
    name, value = tail(result.ttft_ms, "p95")
    return numbers.ms(value) if name == "p95" or value is None else f"{name} {numbers.ms(value)}"


def recalled(result: Result) -> str:
    """Recall with its interval."""
    return share_of(result.recall.share, result.recall.ci95)


def share_of(share: float | None, ci95: Interval) -> str:
    """A share in percent with its interval: "100 (84–100)"."""
    if share is None:
        return numbers.NONE
    span = numbers.span(*ci95, show=lambda end: numbers.fixed(100 * end, 0))
    return f"{numbers.fixed(100 * share, 0)} ({span})"


def cached(result: Result, warm: bool) -> list[tuple[str, str]]:
    """A word when a cache answered prompt tokens: a warning, unless that was asked for."""
    share = cached_share(result)
    return [(f"{numbers.percent(share)} cached", "" if warm else "warn")] if share else []


def _answers(result: Result) -> str:
    if result.requests.ok == result.requests.total:
        return numbers.count(result.requests.ok)
    return f"{numbers.count(result.requests.ok)} of {numbers.count(result.requests.total)}"


def _cost(result: Result) -> str:
    return numbers.usd(cost_per_request(result)).removeprefix("$")


COLUMNS = (
    Column("model", "Model", lambda r: r.label.lower(), lambda r: r.label, numeric=False,
           best_high=False),
    Column("context", "Context", lambda r: r.context_tokens,
           lambda r: numbers.tier(r.context_tokens), best_high=False),
    Column("output", "Output, tok/s", lambda r: r.output_tps.p50,
           lambda r: numbers.measured(r.output_tps.p50, r.output_tps.ci95),
           hint="Median of the runs, without the time to the first token"),
    Column("interval", "95 % interval", lambda r: r.output_tps.ci95[0],
           lambda r: numbers.measured_span(r.output_tps.p50, r.output_tps.ci95), muted=True,
           hint="Interval of the median"),
    Column("first", "First token, ms", lambda r: r.ttft_ms.p50,
           lambda r: numbers.ms(r.ttft_ms.p50), best_high=False, hint="Median of the runs"),
    Column("p95", "p95", lambda r: tail(r.ttft_ms, "p95")[1], _tail, best_high=False,
           hint="Of the first token; the slowest where there are fewer than 20 runs"),
    Column("between", "Between tokens, ms", lambda r: r.itl_ms.mean,
           lambda r: numbers.ms(r.itl_ms.mean), best_high=False, hint="Mean over all gaps"),
    Column("recall", "Recall, %", lambda r: r.recall.share, recalled,
           hint="Answers that held the fact hidden in their context, 95 % interval"),
    Column("runs", "Runs", lambda r: r.requests.ok, _answers, hint="Answered of asked"),
    Column("cost", "Cost, USD", cost_per_request, _cost, best_high=False,
           hint="Of one request, on average"),
    Column("confidence", "Confidence", lambda r: _RANK.get(_confidence(r)), _confidence,
           numeric=False, hint="How far the median of the output speed can be trusted"),
)  # fmt: skip
KEYS = {column.key: column for column in COLUMNS}


def shown(results: Sequence[Result]) -> list[Column]:
    """The columns of a table; the context size has one only where it differs or is not 0,
    recall where it was asked for."""
    hidden = set()
    if not {result.context_tokens for result in results} - {0}:
        hidden.add("context")
    if not any(result.recall.n for result in results):
        hidden.add("recall")
    return [column for column in COLUMNS if column.key not in hidden]


def order(results: Iterable[Result], key: str, descending: bool) -> list[Result]:
    """Sorted by a column; without a value last, equal ones as they were."""
    value = KEYS[key].value
    known = [result for result in results if value(result) is not None]
    known.sort(key=value, reverse=descending)  # type: ignore[arg-type]
    return known + [result for result in results if value(result) is None]


def best_first(results: Sequence[Result]) -> list[Result]:
    """Fastest first within each context size."""
    return sorted(
        order(results, "output", descending=True), key=lambda result: result.context_tokens
    )


def rows(
    results: Sequence[Result], colours: Mapping[tuple[str, str], int], warm: bool = False
) -> list[Row]:
    """The rows, in the order given; `warm` says that a cache was meant to answer."""
    columns = shown(results)
    return [
        Row(
            r,
            colours[r.provider, r.model],
            [(column, column.text(r)) for column in columns],
            cached(r, warm),
        )
        for r in results
    ]
