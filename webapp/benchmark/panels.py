"""Which charts a run has. It follows from what was asked, so that nothing moves when samples
arrive."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from engine.report import Result
from engine.report.digest import POINTS_MAX
from webapp.benchmark import charts, distributions
from webapp.benchmark.figures import Figures
from webapp.benchmark.load_charts import LATENCY_MOST, groups, has_limits, titled
from webapp.formats import tier

# Rows of height that charts with two value axes take.
PLANE_ROWS = 6
# More points than this leave no room for names beside them.
NAMED_POINTS = 6


class Panel(NamedTuple):
    """A chart's frame. `rows` reserves the height, `wide` takes both columns; `legend` is
    for charts that name no model themselves."""

    kind: str
    title: str
    note: str
    rows: int
    wide: bool = False
    legend: bool = False


def panels(known: Figures) -> list[Panel]:
    """The frames in their order; the last stands alone when it would stand beside nothing."""
    shown = _load(known) if known.spec.load else _sequential(known)
    beside = sum(not panel.wide for panel in shown)
    if beside % 2:
        last = max(i for i, panel in enumerate(shown) if not panel.wide)
        shown[last] = shown[last]._replace(wide=True)
    return shown


def _sequential(known: Figures) -> list[Panel]:
    spec, bars = known.spec, len(known.targets)
    size = charts.bar_size(known.results)
    at = f", context {tier(size)}" if len(spec.context_tiers) > 1 else ""
    shown = [
        Panel("speed", "Output speed", f"median, 95 % interval, tokens/s{at}", bars),
        Panel("first_token", "First token", f"{_first_note(known)}, ms{at}", bars),
    ]
    if len({result.context_tokens for result in known.results}) > 1:
        shown += [
            Panel("context_speed", "Output speed by context", "median, 95 % interval",
                  PLANE_ROWS, legend=True),
            Panel("context_first_token", "First token by context", "median, 95 % interval",
                  PLANE_ROWS, legend=True),
        ]  # fmt: skip
    if spec.recall:
        note = "share of answers with the hidden fact, 95 % interval"
        shown.append(Panel("context_recall", "Recall by context", note, PLANE_ROWS, legend=True))
    if spec.runs >= distributions.FROM:
        shown += _distributions(at)
    if bars > 1:
        note = "median, 95 % interval; up and left is better"
        shown.append(
            Panel("tradeoff", "Speed and first token", note, PLANE_ROWS, True, bars > NAMED_POINTS)
        )
    return shown


def _load(known: Figures) -> list[Panel]:
    load, several = known.spec.load, len(known.targets) > 1
    rate = "streams" if load and load.arrivals == "closed" else "requests/s"
    shown = [
        Panel("load_curve", "First token by throughput",
              f"median, 95 % interval; points named by {rate}; right and down is better",
              PLANE_ROWS + 1, True, several),
    ]  # fmt: skip
    if load and has_limits(load):
        note = "share of requests within the limits, 95 % interval"
        shown.append(Panel("goodput", "Goodput by load", note, PLANE_ROWS, legend=several))
    found: Sequence[Sequence[Result]] = groups(known.results)
    for number, group in enumerate(found[:LATENCY_MOST], 1):
        title = "First token by load"
        if len(found) > 1:
            title = f"{title}, {titled(group[0], known.results)}"
        shown.append(Panel(f"latency:{number}", title, "percentiles", PLANE_ROWS))
    return [*shown, *_distributions(", at the best level")]


def _distributions(where: str) -> list[Panel]:
    note = f"share of answers that came within{where}"
    return [
        Panel("ecdf_first", "First token, distribution", note, PLANE_ROWS, legend=True),
        Panel("ecdf_answer", "Whole answer, distribution", note, PLANE_ROWS, legend=True),
    ]


def _first_note(known: Figures) -> str:
    expected = len(known.targets) * known.spec.runs
    return "every run" if expected <= POINTS_MAX else "median, quartiles, range"
