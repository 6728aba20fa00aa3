"""One distribution in a few numbers, and the rules for showing them."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from engine.stats.intervals import NO_INTERVAL, Floats, Interval, median_interval

Label = Literal["high", "medium", "low"]

# A tail percentile is worth showing from this many values on.
SHOWN_FROM = {"p90": 10, "p95": 20, "p99": 100}


@dataclass(frozen=True, slots=True)
class Summary:
    """A distribution, in the unit of its values.

    Everything is None when n is 0; `std` (with n - 1) and `ci95`, the interval of the median,
    need two values. Percentiles are linear between order statistics. Never NaN.
    """

    mean: float | None = None
    std: float | None = None
    min: float | None = None
    p25: float | None = None
    p50: float | None = None
    p75: float | None = None
    p90: float | None = None
    p95: float | None = None
    p99: float | None = None
    max: float | None = None
    ci95: Interval = NO_INTERVAL
    n: int = 0

    def as_dict(self) -> dict[str, Any]:
        """The summary as JSON carries it: full values, `ci95` a list of two."""
        row: dict[str, Any] = {name: getattr(self, name) for name in self.__slots__}
        return row | {"ci95": list(self.ci95)}


def describe(values: Iterable[float | None]) -> Summary:
    """Summarise values in any unit; None (not measured) is left out.

    The interval is the BCa bootstrap interval of the median with a fixed seed; its time does
    not grow with n beyond sorting, so 100,000 values are fine. Raises ValueError for a value
    that is not finite.
    """
    ordered = np.sort(np.array([v for v in values if v is not None], dtype=np.float64))
    if not np.isfinite(ordered).all():
        raise ValueError("a statistic needs finite values")
    return summarise(ordered, median_interval(ordered))


def summarise(ordered: Floats, ci95: Interval, mean: float | None = None) -> Summary:
    """A Summary of values in ascending order with an interval, and a mean where the plain
    one is not wanted."""
    n = int(ordered.size)
    if n == 0:
        return Summary()
    low, high = float(ordered[0]), float(ordered[-1])
    levels = np.quantile(ordered, (0.25, 0.5, 0.75, 0.9, 0.95, 0.99))
    p25, p50, p75, p90, p95, p99 = (min(max(float(q), low), high) for q in levels)
    plain = min(max(math.fsum(ordered) / n, low), high)
    std = math.sqrt(float(((ordered - plain) ** 2).sum()) / (n - 1)) if n > 1 else None
    return Summary(
        mean=plain if mean is None else mean,
        std=std,
        min=low,
        p25=p25,
        p50=p50,
        p75=p75,
        p90=p90,
        p95=p95,
        p99=p99,
        max=high,
        ci95=ci95,
        n=n,
    )


def tail(summary: Summary, name: Literal["p90", "p95", "p99"]) -> tuple[str, float | None]:
    """What to show where a tail percentile is asked for: (name, value), or ("max", the
    maximum) when there are too few values for it: p95 needs 20, p99 needs 100."""
    if summary.n >= SHOWN_FROM[name]:
        return name, getattr(summary, name)
    return "max", summary.max


def tukey_outliers(values: Iterable[float]) -> list[int]:
    """Positions of the values outside the Tukey fences (1.5 IQR beyond the quartiles);
    none for fewer than four values."""
    data = np.array(list(values), dtype=np.float64)
    if data.size < 4:
        return []
    q1, q3 = np.quantile(data, (0.25, 0.75))
    reach = 1.5 * (q3 - q1)
    return [int(i) for i in np.flatnonzero((data < q1 - reach) | (data > q3 + reach))]


def confidence_label(summary: Summary) -> Label:
    """How far the median can be trusted, by the half-width of its interval: "high" below 5 %
    of the median with n of at least 10, "medium" below 15 %, else "low"."""
    low, high = summary.ci95
    if low is None or high is None or summary.p50 is None:
        return "low"
    half, size = (high - low) / 2, abs(summary.p50)
    if half < 0.05 * size or half == 0:
        return "high" if summary.n >= 10 else "medium"
    return "medium" if half < 0.15 * size else "low"
