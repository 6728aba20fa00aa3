"""The table of a comparison: the cells of a line, and the picture of its interval."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from engine.report import numbers
from engine.report.wording import FIRST_TOKEN, SPEED, Metric
from engine.stats import NOT_DISTINGUISHABLE
from webapp.history import words
from webapp.history.comparison import PLACE, Compared, Line, level
from webapp.history.rows import csv_text, figure_cells

# The picture is this wide on either side of "no difference"; whiskers keep off its edge.
HALF_WIDTH = 100.0
REACH = 94.0


class Picture(NamedTuple):
    """Where the interval begins, the difference and the interval's end, from -100 to 100."""

    low: float
    middle: float
    high: float


class Delta(NamedTuple):
    """One line as texts. `kind` is that of the verdict's chip."""

    label: str
    provider: str
    context: str
    a: str
    a_interval: str
    b: str
    b_interval: str
    difference: str
    interval: str
    change: str
    p_value: str
    verdict: str
    kind: str
    picture: Picture | None


class Table(NamedTuple):
    """All lines of one figure; `left` and `right` say what lies on either side of zero."""

    key: str
    title: str
    unit: str
    left: str
    right: str
    rows: list[Delta]


_TABLES: tuple[tuple[Metric, str, str, str, str], ...] = (
    (SPEED, "Output speed", "B slower", "B faster", "faster"),
    (FIRST_TOKEN, "First token", "B earlier", "B later", "earlier"),
)


def tables(compared: Compared) -> list[Table]:
    """One table for each figure that can be compared."""
    found = []
    for metric, title, left, right, better in _TABLES:
        lines = compared.of(metric)
        if lines:
            scale = _scale(lines)
            rows = [_delta(line, better, scale) for line in lines]
            found.append(Table(metric.name, title, metric.unit, left, right, rows))
    return found


class Left(NamedTuple):
    """A model that is not compared at these context sizes, and why."""

    label: str
    provider: str
    contexts: str
    reason: str


def left(compared: Compared) -> list[Left]:
    """What is not compared, one line a model and reason."""
    sizes: dict[tuple[str, str, str], list[str]] = {}
    for result, reason in compared.left:
        where = " · ".join(filter(None, (result.provider_label, level(result))))
        key = (result.label, where, reason)
        sizes.setdefault(key, []).append(numbers.tier(result.context_tokens))
    return [
        Left(label, provider, ", ".join(found), reason)
        for (label, provider, reason), found in sizes.items()
    ]


def _delta(line: Line, better: str, scale: float) -> Delta:
    metric, versus = line.metric, line.versus
    mine, theirs = metric.summary(line.a), metric.summary(line.b)
    verdict = f"{line.winner} {better}"
    if not line.winner:
        verdict = NOT_DISTINGUISHABLE if versus.conclusive else "too few answers"
    return Delta(
        label=line.a.label,
        provider=" · ".join(filter(None, (line.a.provider_label, level(line.a)))),
        context=numbers.tier(line.a.context_tokens),
        a=numbers.measured(mine.p50, mine.ci95),
        a_interval=numbers.measured_span(mine.p50, mine.ci95),
        b=numbers.measured(theirs.p50, theirs.ci95),
        b_interval=numbers.measured_span(theirs.p50, theirs.ci95),
        difference=words.difference(line),
        interval=words.difference_interval(line),
        change=words.change(line),
        p_value=words.p_text(versus.p_value),
        verdict=verdict,
        kind="on" if line.winner else "",
        picture=_picture(line, scale),
    )


def _relative(line: Line) -> tuple[float, float, float] | None:
    """The interval and the difference as shares of A's median, so that models of different
    speed fit on one axis."""
    low, high = line.versus.difference_ci
    size = abs(line.metric.summary(line.a).p50 or 0.0)
    if low is None or high is None or line.versus.difference is None or not size:
        return None
    return low / size, line.versus.difference / size, high / size


def _scale(lines: Sequence[Line]) -> float:
    ends = [abs(end) for line in lines for end in _relative(line) or ()]
    return REACH / max(ends) if ends and max(ends) > 0 else 0.0


def _picture(line: Line, scale: float) -> Picture | None:
    shares = _relative(line)
    return None if shares is None else Picture(*(round(share * scale, 1) for share in shares))


_CSV_COLUMNS = (
    *(*PLACE, "metric"),
    *(f"{side}.{part}" for side in "ab" for part in ("p50", "ci95.low", "ci95.high", "n")),
    *("difference", "difference_ci95.low", "difference_ci95.high"),
    *("ratio", "ratio_ci95.low", "ratio_ci95.high", "p_value", "conclusive", "better"),
)


def to_csv(compared: Compared) -> str:
    """The lines with the full values of the JSON; nested names are joined by a dot."""
    return csv_text(_CSV_COLUMNS, (_csv_row(line.as_data()) for line in compared.lines))


def _csv_row(data: dict[str, Any]) -> dict[str, Any]:
    row = {name: value for name, value in data.items() if name in _CSV_COLUMNS}
    row |= figure_cells("a", data["a"]) | figure_cells("b", data["b"])
    for name in ("difference_ci95", "ratio_ci95"):
        row[f"{name}.low"], row[f"{name}.high"] = data[name]
    return row
