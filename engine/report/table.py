"""The results as a table for the terminal."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from engine.report import numbers, wording
from engine.report.cards import cost_per_request, tail_words
from engine.report.result import Result
from engine.stats import confidence_label

if TYPE_CHECKING:
    from rich.table import Table
    from rich.text import Text

_STYLE = {"high": "green", "medium": "yellow", "low": "red"}


_HEADINGS = (
    *("Output\ntok/s", "95 %\ninterval", "First\ntoken", "\np95", "Mean\ngap"),
    *("An-\nswers", "USD\neach"),
)


def table(results: Sequence[Result]) -> Table:
    """Fastest first within each context size, in 80 columns; provider and size stand under
    the model where there are several. Times are in milliseconds."""
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    tiers = len({result.context_tokens for result in results}) > 1
    providers = list(dict.fromkeys(result.provider_label for result in results))
    drawn = Table(
        box=SIMPLE_HEAD,
        pad_edge=False,
        show_edge=False,
        collapse_padding=True,
        title=providers[0] if len(providers) == 1 else None,
        title_justify="left",
        caption="Medians; times in ms.",
        caption_justify="left",
    )
    drawn.add_column("\nModel", overflow="fold", min_width=10)
    for heading in _HEADINGS:
        drawn.add_column(heading, justify="right", no_wrap=True)
    drawn.add_column("Confi-\ndence", no_wrap=True)
    for result in sorted(results, key=_order):
        drawn.add_row(_model(result, len(providers) > 1, tiers), *_cells(result))
    return drawn


def _order(result: Result) -> tuple[int, float]:
    """By size; within it load levels as they rise, sequential results fastest first."""
    if result.level:
        return result.context_tokens, result.rate or result.concurrency or 0.0
    return result.context_tokens, -(result.output_tps.p50 or 0.0)


def _model(result: Result, provider: bool, tiers: bool) -> Text:
    from rich.text import Text

    size = f"{numbers.tier(result.context_tokens)} context"
    under = [*([result.provider_label] if provider else []), *([size] if tiers else [])]
    if result.level:
        under.append(_load(result))
    return Text("\n").join([Text(result.label), *(Text(line, style="dim") for line in under)])


def _load(result: Result) -> str:
    """ "64 streams" or "12.5 requests/s", with what the whole endpoint gave."""
    pressed = wording.pressed(result)
    if result.system_output_tps is None:
        return pressed
    saturated = ", generator saturated" if result.client.saturated else ""
    return f"{pressed}: {numbers.number(result.system_output_tps)} tok/s in all{saturated}"


def _cells(result: Result) -> list[Text]:
    from rich.text import Text

    speed, first, between = result.output_tps, result.ttft_ms, result.itl_ms
    label = confidence_label(speed) if speed.n else numbers.NONE
    cells = (
        numbers.measured(speed.p50, speed.ci95),
        numbers.measured_span(speed.p50, speed.ci95),
        numbers.ms(first.p50),
        tail_words(first),
        numbers.ms(between.mean),
        f"{result.requests.ok}/{result.requests.total}",
        numbers.usd(cost_per_request(result)),
    )
    return [*(Text(cell) for cell in cells), Text(label, style=_STYLE.get(label, ""))]
