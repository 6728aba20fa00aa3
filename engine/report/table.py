"""The results as a table for the terminal."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from engine.report import numbers
from engine.report.cards import cost_per_request, tail_words
from engine.report.result import Result
from engine.stats import confidence_label

if TYPE_CHECKING:
    from rich.table import Table
    from rich.text import Text

_STYLE = {"high": "green", "medium": "yellow", "low": "red"}


def table(results: Sequence[Result]) -> Table:
    """Fastest first within each context size; the size has a column when there are several."""
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    tiers = len({result.context_tokens for result in results}) > 1
    drawn = Table(box=SIMPLE_HEAD, pad_edge=False)
    drawn.add_column("Model", overflow="fold")
    numeric = ["Context"] * tiers + [
        *("Output, tokens/s", "95 % interval", "First token, ms", "p95"),
        *("Between tokens, ms", "Answers", "USD each"),
    ]
    for heading in numeric:
        drawn.add_column(heading, justify="right")
    drawn.add_column("Confidence")
    for result in sorted(results, key=_order):
        drawn.add_row(*_cells(result, tiers))
    return drawn


def _order(result: Result) -> tuple[int, float]:
    return result.context_tokens, -(result.output_tps.p50 or 0.0)


def _cells(result: Result, tiers: bool) -> list[Text]:
    from rich.text import Text

    speed, first, between = result.output_tps, result.ttft_ms, result.itl_ms
    label = confidence_label(speed) if speed.n else numbers.NONE
    model = Text(result.label).append(f" {result.provider_label}", style="dim")
    cells = [
        numbers.measured(speed.p50, speed.ci95),
        numbers.measured_span(speed.p50, speed.ci95),
        numbers.ms(first.p50),
        tail_words(first),
        numbers.ms(between.mean),
        f"{result.requests.ok} of {result.requests.total}",
        numbers.usd(cost_per_request(result)),
    ]
    context = [numbers.tier(result.context_tokens)] if tiers else []
    last = Text(label, style=_STYLE.get(label, ""))
    return [model, *(Text(cell) for cell in (*context, *cells)), last]
