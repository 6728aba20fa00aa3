"""The tables of a load run: what each level reached, and its latency. They hold the numbers
of every chart."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from engine.report import Result, numbers
from engine.report.knee import pressure, sweeps
from engine.report.wording import FIRST_TOKEN, SPEED, pressed
from engine.specs import BenchmarkSpec
from engine.stats import SHOWN_FROM, Summary
from webapp.benchmark.load_charts import groups, has_limits
from webapp.benchmark.table import cached, recalled, share_of

MARKS = {
    "generator_busy": ("generator saturated", "bad"),
    "late_reads": ("read too late", "bad"),
    "late_dispatch": ("sent late", "warn"),
    "backlog": ("endpoint fell behind", "warn"),
    "unsent": ("some never sent", "warn"),
    "started_together": ("started together", "warn"),
}


class Cell(NamedTuple):
    """A heading and what stands below it; `hint` explains the heading."""

    key: str
    heading: str
    text: str
    hint: str = ""
    muted: bool = False


class LevelRow(NamedTuple):
    """One level: the number of its model's colour, both tables' cells, its marks as
    (word, kind), and whether it begins another target or size."""

    result: Result
    number: int
    pressed: str
    reached: list[Cell]
    latency: list[Cell]
    marks: list[tuple[str, str]]
    begins: bool


def rows(
    results: Sequence[Result],
    spec: BenchmarkSpec,
    colours: Mapping[tuple[str, str], int],
    ended: bool,
) -> list[LevelRow]:
    """A row a level, from low to high, one target and size after another."""
    knees = {id(sweep.knee) for sweep in sweeps(results) if sweep.knee}
    sizes = len({result.context_tokens for result in results}) > 1 or results[0].context_tokens > 0
    return [
        LevelRow(
            result,
            colours[result.provider, result.model],
            pressed(result),
            _reached(result, spec, sizes),
            _latency(result, spec),
            [*_marks(result, id(result) in knees, ended, spec.cache == "warm")],
            position == 0,
        )
        for group in groups(results)
        for position, result in enumerate(sorted(group, key=pressure))
    ]


def _reached(result: Result, spec: BenchmarkSpec, sizes: bool) -> list[Cell]:
    size = [Cell("context", "Context", numbers.tier(result.context_tokens))] if sizes else []
    good = result.goodput
    goodput = [
        Cell("goodput", "Good, %", share_of(good.share, good.ci95),
             "Requests that kept to the limits, with its 95 % Wilson interval"),
        Cell("good_rate", "Good requests/s", numbers.number(good.per_s)),
    ]  # fmt: skip
    recall = [Cell("recall", "Recall, %", recalled(result))] if spec.recall else []
    cost = None if result.cost_usd is None else result.cost_usd / result.requests.ok
    return [
        *size,
        Cell("throughput", "All streams, tok/s", numbers.number(result.system_output_tps),
             "Output tokens a second, while the level ran at full strength"),
        Cell("rate", "Requests/s", numbers.number(result.requests_per_s), "Answered, meanwhile"),
        Cell("speed", "One stream, tok/s", SPEED.median(result), "Median of the requests"),
        *(goodput if spec.load and has_limits(spec.load) else []),
        *recall,
        Cell("answers", "Answers", _answers(result), "Answered of asked"),
        Cell("cost", "Cost, USD", numbers.usd(cost).removeprefix("$"), "Of one request"),
    ]  # fmt: skip


def _latency(result: Result, spec: BenchmarkSpec) -> list[Cell]:
    """Percentiles, each only where there are enough values for it."""
    first, answer, due = result.ttft_ms, result.e2e_ms, result.scheduled_ttft_ms
    counted = [
        Cell("due_p50", "From due, p50", numbers.ms(due.p50),
             "First token after the moment the request was due: with the wait before it was sent"),
        Cell("due_p99", "p99", _percentile(due, "p99")),
    ]  # fmt: skip
    interval = numbers.span(*first.ci95, show=numbers.ms)
    return [
        Cell("first", "First token, ms", FIRST_TOKEN.median(result), "Median"),
        Cell("interval", "95 % interval", interval, "Of the median", muted=True),
        *(Cell(f"first_{name}", name, _percentile(first, name),
               f"Of the first token; from {SHOWN_FROM[name]} answers on")
          for name in ("p90", "p95", "p99")),
        *(counted if spec.load and spec.load.arrivals != "closed" else []),
        Cell("gap", "Between tokens, ms", numbers.ms(result.itl_ms.mean), "Mean over all gaps"),
        Cell("tpot", "Each token, ms", numbers.ms(result.tpot_ms.p50), "Median TPOT of a request"),
        Cell("answer", "Whole answer, ms", numbers.ms(answer.p50), "Median"),
        Cell("answer_p95", "p95", _percentile(answer, "p95")),
        Cell("n", "n", numbers.count(first.n)),
    ]  # fmt: skip


def _percentile(summary: Summary, name: str) -> str:
    return numbers.ms(getattr(summary, name)) if summary.n >= SHOWN_FROM[name] else numbers.NONE


def _answers(result: Result) -> str:
    if result.requests.ok == result.requests.total:
        return numbers.count(result.requests.ok)
    return f"{numbers.count(result.requests.ok)} of {numbers.count(result.requests.total)}"


def _marks(result: Result, knee: bool, ended: bool, warm: bool) -> Sequence[tuple[str, str]]:
    found = [("knee", "on")] if knee else []
    found += [MARKS[mark] for mark in result.client.marks if mark in MARKS]
    found += cached(result, warm)
    if ended and not result.requests.total:
        found.append(("left out", ""))
    return found
