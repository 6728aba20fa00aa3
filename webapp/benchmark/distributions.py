"""Distribution functions as charts: which share of the answers had come after so long."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from engine.report import numbers
from engine.report.digest import Digest
from engine.report.wording import pressed
from engine.stats import Summary

# Fewer answers than this make steps that say nothing.
FROM = 5
CHARTS = {
    "ecdf_first": ("ttft_ms", "First token, ms"),
    "ecdf_answer": ("e2e_ms", "Whole answer, ms"),
}
Colours = Mapping[tuple[str, str], int]


def distributions(chosen: Sequence[Digest], colours: Colours) -> dict[str, Any]:
    """Both charts, one line a digest; lines of the same model after its first are dashed."""
    return {name: _chart(chosen, colours, metric, unit) for name, (metric, unit) in CHARTS.items()}


def _chart(chosen: Sequence[Digest], colours: Colours, metric: str, unit: str) -> dict[str, Any]:
    lines: list[dict[str, Any]] = []
    for item in chosen:
        result, values = item.result, item.curves[metric]
        colour = colours[result.provider, result.model]
        level = pressed(result)
        name = f"{result.label}, {level}" if level else result.label
        lines.append(
            {
                "name": name,
                "colour": colour,
                "dashed": any(line["colour"] == colour for line in lines),
                "points": _steps(values, getattr(result, metric).n),
                "deciles": [_text(name, values, tenth) for tenth in range(11)] if values else [],
            }
        )
    said = "; ".join(
        f"{line['name']} {_said(getattr(item.result, metric))}"
        for line, item in zip(lines, chosen, strict=True)
    )
    return {"label": f"{unit}, share of answers: {said}.", "unit": unit, "lines": lines}


def _steps(values: Sequence[float], n: int) -> list[list[float]]:
    """(value, share of the answers that had come by then); thinned values are quantiles."""
    last = len(values) - 1
    whole = len(values) == n
    return [
        [round(value, 2), round((i + 1) / n if whole else i / last, 4)]
        for i, value in enumerate(values)
    ]


def _text(name: str, values: Sequence[float], tenth: int) -> str:
    value = values[max(0, math.ceil(tenth / 10 * len(values)) - 1)]
    if tenth == 0:
        return f"{name}: the first after {numbers.ms(value)} ms"
    return f"{name}: {numbers.percent(tenth / 10)} of the answers within {numbers.ms(value)} ms"


def _said(summary: Summary) -> str:
    if not summary.n:
        return "no answer"
    return f"half within {numbers.ms(summary.p50)}, all within {numbers.ms(summary.max)}"
