"""The charts of a load run. Levels stand at even distances, because they usually double."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from engine.report import Result, numbers
from engine.report.digest import Digest
from engine.report.knee import Sweep, pressure, sweeps, throughput
from engine.report.wording import FIRST_TOKEN, name, pressed
from engine.specs import LoadSpec
from engine.stats import SHOWN_FROM
from webapp.benchmark.distributions import Colours, distributions

# Charts of latency by level, one a target and size; the table has all of them.
LATENCY_MOST = 6
# Waits for being sent that add less than this to the median are not drawn.
LATE = 1.05
PERCENTILES = ("p50", "p90", "p95", "p99")


def load_charts(digests: Sequence[Digest], load: LoadSpec, colours: Colours) -> dict[str, Any]:
    """All charts by the name their canvas has."""
    results = [item.result for item in digests]
    found = sweeps(results)
    best = {id(sweep.best) for sweep in found}
    data: dict[str, Any] = {"load_curve": _curve(found, results, colours)}
    for number, group in enumerate(groups(results)[:LATENCY_MOST], 1):
        data[f"latency:{number}"] = _latency(group, load, colours)
    if has_limits(load):
        data["goodput"] = _goodput(results, load, colours)
    return data | distributions([item for item in digests if id(item.result) in best], colours)


def groups(results: Sequence[Result]) -> list[list[Result]]:
    """The levels of each target and size, lowest first, measured or not."""
    found: dict[tuple[str, str, int], list[Result]] = {}
    for result in results:
        where = (result.provider, result.model, result.context_tokens)
        found.setdefault(where, []).append(result)
    return [sorted(group, key=pressure) for group in found.values()]


def has_limits(load: LoadSpec) -> bool:
    """Whether the run says what a good answer is."""
    return any((load.slo_ttft_ms, load.slo_tpot_ms, load.slo_e2e_ms))


def titled(result: Result, among: Sequence[Result]) -> str:
    """The name of a group: the model, with the context size where sizes differ."""
    sizes = len({item.context_tokens for item in among}) > 1
    size = f", {numbers.tier(result.context_tokens)}" if sizes else ""
    return f"{name(result, among)}{size}"


def _curve(found: Sequence[Sweep], results: Sequence[Result], colours: Colours) -> dict[str, Any]:
    lines: list[dict[str, Any]] = []
    for sweep in found:
        label = titled(sweep.first, results)
        colour = colours[sweep.first.provider, sweep.first.model]
        lines.append(
            {
                "name": label,
                "colour": colour,
                "dashed": any(line["colour"] == colour for line in lines),
                "points": [_point(sweep, result, label) for result in sweep.levels],
            }
        )
    said = "; ".join(point["text"] for line in lines for point in line["points"])
    return {"label": f"First token by throughput: {said or 'no answer yet'}.", "lines": lines}


def _point(sweep: Sweep, result: Result, label: str) -> dict[str, Any]:
    low, high = result.ttft_ms.ci95
    reached = numbers.number(result.system_output_tps)
    knee = result is sweep.knee
    return {
        "x": throughput(result),
        "y": result.ttft_ms.p50,
        "low": low,
        "high": high,
        "name": f"{pressure(result):g}",
        "knee": knee,
        "text": f"{label}, {pressed(result)}: {reached} tokens/s, first token "
        f"{FIRST_TOKEN.median(result)} ms{', the knee' if knee else ''}",
    }


def _axis(group: Sequence[Result], load: LoadSpec) -> dict[str, Any]:
    names = [f"{value:g}" for value in sorted({pressure(result) for result in group})]
    title = "Streams at once" if load.arrivals == "closed" else "Requests a second"
    return {"levels": names, "title": title}


def _latency(group: Sequence[Result], load: LoadSpec, colours: Colours) -> dict[str, Any]:
    first = group[0]
    lines: list[dict[str, Any]] = []
    for step, percentile in enumerate(PERCENTILES):
        points = [
            {"x": i, "y": value, "low": None, "high": None, "text": _told(result, percentile)}
            for i, result in enumerate(group)
            if (value := _shown(result, percentile)) is not None
        ]
        colour = colours[first.provider, first.model]
        lines.append({"name": percentile, "colour": colour, "step": step, "points": points})
    if due := _due(group):
        colour = colours[first.provider, first.model]
        lines.append({"name": "p50 from due", "colour": colour, "step": 4, "points": due})
    said = "; ".join(point["text"] for line in lines for point in line["points"])
    label = f"First token of {first.label} by load: {said or 'no answer yet'}."
    return {"label": label, "unit": "First token, ms", "lines": lines, **_axis(group, load)}


def _due(group: Sequence[Result]) -> list[dict[str, Any]]:
    """The median counted from when requests were due, where an open loop fell behind; nothing
    where it never did."""
    pairs = [
        (i, result, result.scheduled_ttft_ms.p50, result.ttft_ms.p50)
        for i, result in enumerate(group)
        if result.rate is not None
    ]
    known = [(i, result, due) for i, result, due, sent in pairs if due is not None and sent]
    if not any(due > LATE * sent for _, _, due, sent in pairs if due is not None and sent):
        return []
    return [
        {"x": i, "y": due, "low": None, "high": None,
         "text": f"{pressed(result)}: p50 {numbers.ms(due)} ms after it was due"}
        for i, result, due in known
    ]  # fmt: skip


def _shown(result: Result, percentile: str) -> float | None:
    """A percentile where there are enough values for it."""
    if result.ttft_ms.n < SHOWN_FROM.get(percentile, 1):
        return None
    value: float | None = getattr(result.ttft_ms, percentile)
    return value


def _told(result: Result, percentile: str) -> str:
    value = numbers.ms(_shown(result, percentile))
    return f"{pressed(result)}: {percentile} {value} ms, n {numbers.count(result.ttft_ms.n)}"


def _goodput(results: Sequence[Result], load: LoadSpec, colours: Colours) -> dict[str, Any]:
    axis = _axis(results, load)
    lines: list[dict[str, Any]] = []
    for group in groups(results):
        first, label = group[0], titled(group[0], results)
        colour = colours[first.provider, first.model]
        points = []
        for result in group:
            if result.goodput.share is None:
                continue
            low, high = result.goodput.ci95
            text = f"{label}, {pressed(result)}: {good(result)}"
            x = axis["levels"].index(f"{pressure(result):g}")
            share = 100 * result.goodput.share
            points.append({"x": x, "y": share, "low": 100 * (low or 0.0),
                           "high": 100 * (high or 0.0), "text": text})  # fmt: skip
        dashed = any(line["colour"] == colour for line in lines)
        lines.append({"name": label, "colour": colour, "step": int(dashed), "points": points})
    said = "; ".join(point["text"] for line in lines for point in line["points"])
    return {
        "label": f"Goodput by load: {said or 'no answer yet'}.",
        "unit": "Good answers, %",
        "most": 100,
        "lines": lines,
        **axis,
    }


def good(result: Result) -> str:
    """ "97 % good, interval 93–99 %"."""
    interval = numbers.span(*result.goodput.ci95, show=lambda end: numbers.fixed(100 * end, 0))
    return f"{numbers.percent(result.goodput.share)} good, interval {interval}{numbers.NARROW}%"
