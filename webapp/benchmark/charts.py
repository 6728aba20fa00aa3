"""The data of the charts of a run. Every text in it is written here, so that the browser
formats no number of its own; `label` says in a sentence what the picture shows."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from engine.report import Result, front_tier, numbers
from engine.report.digest import POINTS_MAX, Digest
from engine.report.wording import FIRST_TOKEN, SPEED
from engine.stats import Summary
from webapp.benchmark.distributions import distributions

Colours = Mapping[tuple[str, str], int]
Names = Mapping[tuple[str, str], str]


def chart_data(digests: Sequence[Digest], ordered: Sequence[Result], colours: Colours) -> Any:
    """All charts of a sequential run by the name their canvas has. `ordered` is the order of
    the table."""
    results = [item.result for item in digests]
    size = bar_size(results)
    front = [result for result in ordered if result.context_tokens == size]
    drawn = {id(item.result): item for item in digests}
    data: dict[str, Any] = {
        "speed": _speed(front, colours),
        "first_token": _first_token([drawn[id(result)] for result in front], colours),
        "tradeoff": _tradeoff(front, colours),
        **distributions([item for item in digests if item.result in front], colours),
    }
    sizes = sorted({result.context_tokens for result in results})
    if len(sizes) > 1:
        data["context_speed"] = _context(
            results, sizes, colours, "output_tps", "Output, tokens/s", SPEED.median
        )
        data["context_first_token"] = _context(
            results, sizes, colours, "ttft_ms", "First token, ms", FIRST_TOKEN.median
        )
    if any(result.recall.n for result in results):
        data["context_recall"] = _recall(results, sizes, colours)
    return data


def bar_size(results: Sequence[Result]) -> int:
    """The context size that charts of one size show: the verdict's, or the smallest."""
    front = front_tier(results)
    if front:
        return front[0].context_tokens
    return min((result.context_tokens for result in results), default=0)


def _speed(front: Sequence[Result], colours: Colours) -> dict[str, Any]:
    rows = []
    for result in front:
        summary = result.output_tps
        shown = numbers.measured(summary.p50, summary.ci95)
        rows.append(
            _named(result, colours)
            | {
                "value": summary.p50,
                **_interval(summary),
                "shown": shown if summary.n else _nothing(result),
                "text": _text(result, summary, "tokens/s", shown),
            }
        )
    said = ", ".join(f"{row['name']} {row['shown']}" for row in rows)
    return {"label": f"Output speed, median tokens per second: {said}.", "rows": rows}


def _first_token(front: Sequence[Digest], colours: Colours) -> dict[str, Any]:
    every = sum(item.result.ttft_ms.n for item in front) <= POINTS_MAX
    rows = []
    for item in front:
        result, summary = item.result, item.result.ttft_ms
        taken = item.firsts if every else []
        spread = None if every or not summary.n else _spread(summary)
        rows.append(
            _named(result, colours)
            | {
                "median": summary.p50,
                "spread": spread,
                "points": [first for _, first in taken],
                "texts": [
                    f"{result.label}, run {run + 1}: {numbers.ms(first)} ms" for run, first in taken
                ],
            }
        )
    said = ", ".join(
        f"{item.result.label} {numbers.ms(item.result.ttft_ms.p50)}"
        if item.result.ttft_ms.n
        else f"{item.result.label} {_nothing(item.result)}"
        for item in front
    )
    return {"label": f"Time to first token, median milliseconds: {said}.", "rows": rows}


def _tradeoff(front: Sequence[Result], colours: Colours) -> dict[str, Any]:
    rows = []
    for result in front:
        first, speed = result.ttft_ms, result.output_tps
        rows.append(
            _named(result, colours)
            | {"x": first.p50, "x_low": first.ci95[0], "x_high": first.ci95[1]}
            | {"y": speed.p50, "y_low": speed.ci95[0], "y_high": speed.ci95[1]}
            | {"text": _both(result)}
        )
    said = "; ".join(row["text"] for row in rows if row["x"] is not None and row["y"] is not None)
    return {"label": f"Output speed against first token: {said or 'no answer yet'}.", "rows": rows}


def _context(
    results: Sequence[Result],
    sizes: Sequence[int],
    colours: Colours,
    metric: str,
    unit: str,
    show: Callable[[Result], str],
) -> dict[str, Any]:
    lines: dict[tuple[str, str], dict[str, Any]] = {}
    for result in results:
        summary: Summary = getattr(result, metric)
        where = (result.provider, result.model)
        line = lines.setdefault(where, _named(result, colours) | {"points": []})
        if summary.p50 is not None:
            text = f"{result.label}, {numbers.tier(result.context_tokens)}: {show(result)}"
            point = {"x": result.context_tokens, "y": summary.p50, "text": text}
            line["points"].append(point | _interval(summary))
    said = "; ".join(point["text"] for line in lines.values() for point in line["points"])
    return {
        "label": f"{unit} by context size: {said or 'no answer yet'}.",
        "unit": unit,
        "tiers": [{"tokens": size, "name": numbers.tier(size)} for size in sizes],
        "lines": list(lines.values()),
    }


def _recall(results: Sequence[Result], sizes: Sequence[int], colours: Colours) -> dict[str, Any]:
    """The share of answers that held the fact hidden in their context."""
    lines: dict[tuple[str, str], dict[str, Any]] = {}
    for result in results:
        where = (result.provider, result.model)
        line = lines.setdefault(where, _named(result, colours) | {"points": []})
        if result.recall.share is not None:
            low, high = result.recall.ci95
            share, size = numbers.percent(result.recall.share), numbers.tier(result.context_tokens)
            text = f"{result.label}, {size}: {share}, n {numbers.count(result.recall.n)}"
            line["points"].append(
                {"x": result.context_tokens, "y": 100 * result.recall.share, "text": text}
                | {"low": 100 * (low or 0.0), "high": 100 * (high or 0.0)}
            )
    said = "; ".join(point["text"] for line in lines.values() for point in line["points"])
    return {
        "label": f"Recall by context size: {said}.",
        "unit": "Recalled, %",
        "most": 100,
        "tiers": [{"tokens": size, "name": numbers.tier(size)} for size in sizes],
        "lines": list(lines.values()),
    }


def _named(result: Result, colours: Colours) -> dict[str, Any]:
    return {"name": result.label, "colour": colours[result.provider, result.model]}


def _interval(summary: Summary) -> dict[str, float | None]:
    return {"low": summary.ci95[0], "high": summary.ci95[1]}


def _spread(summary: Summary) -> list[float | None]:
    return [summary.min, summary.p25, summary.p75, summary.max]


def _nothing(result: Result) -> str:
    return "no answer" if result.requests.total else "not measured"


def _both(result: Result) -> str:
    return f"{result.label}: {FIRST_TOKEN.median(result)} ms, {SPEED.median(result)} tokens/s"


def _text(result: Result, summary: Summary, unit: str, shown: str) -> str:
    if not summary.n:
        return f"{result.label}: {_nothing(result)}"
    interval = numbers.measured_span(summary.p50, summary.ci95)
    known = f", 95 % interval {interval}" if interval != numbers.NONE else ""
    return f"{result.label}: {shown} {unit}{known}, n {summary.n}"
