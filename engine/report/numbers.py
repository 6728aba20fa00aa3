"""One formatting of every number, for pages and terminal alike.

None is an en dash: not measured, or not known. Minus is the true minus sign, thousands have
commas, a percent sign stands after a narrow no-break space. Files never use this: JSON and
CSV carry the full value.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from engine.stats import Interval

NONE = "–"
NARROW = "\u202f"


def fixed(value: float, decimals: int) -> str:
    """`value` with thousands commas, `decimals` places and a true minus."""
    text = f"{value:,.{decimals}f}"
    if text.startswith("-") and not any(digit in text for digit in "123456789"):
        text = text[1:]
    return text.replace("-", "−")


def number(value: float | None, half_width: float | None = None) -> str:
    """As many decimals as the interval's `half_width` justifies (its second digit), or three
    significant digits when there is none; never more than four significant digits behind
    the point."""
    return NONE if value is None else fixed(value, _decimals(value, half_width))


def measured(value: float | None, interval: Interval) -> str:
    """A median with the digits its interval justifies."""
    return number(value, _half_width(interval))


def measured_span(value: float | None, interval: Interval) -> str:
    """The interval with as many decimals as its median has."""
    if value is None:
        return NONE
    decimals = _decimals(value, _half_width(interval))
    return span(*interval, show=lambda end: fixed(end, decimals))


def _half_width(interval: Interval) -> float | None:
    low, high = interval
    return None if low is None or high is None else (high - low) / 2


def _decimals(value: float, half_width: float | None) -> int:
    size, kept = (abs(half_width), 1) if half_width else (abs(value), 2)
    decimals = kept - math.floor(math.log10(size)) if size > 0 else 0
    enough = 3 - math.floor(math.log10(abs(value))) if value else 4
    return min(max(decimals, 0), max(enough, 0), 4)


def count(value: int | None) -> str:
    """A whole number with thousands commas."""
    return NONE if value is None else fixed(value, 0)


def ms(value: float | None) -> str:
    """Milliseconds without the unit: 118, 45.2, 5.48."""
    if value is None:
        return NONE
    return fixed(value, 0 if abs(value) >= 99.95 else 1 if abs(value) >= 29.95 else 2)


def tps(value: float | None) -> str:
    """Tokens per second without the unit: 1,240, 182.4, 8.25."""
    if value is None:
        return NONE
    return fixed(value, 0 if abs(value) >= 999.5 else 1 if abs(value) >= 9.95 else 2)


def usd(value: float | None) -> str:
    """US dollars with the sign; small sums keep two significant digits, to a millionth."""
    if value is None:
        return NONE
    if value == 0:
        return "$0"
    if value >= 0.995:
        return f"${fixed(value, 2)}"
    decimals = 1 - math.floor(math.log10(value))
    return f"${value:.{min(max(decimals, 4), 6)}f}" if value >= 5e-7 else "under $0.000001"


def price(value: float | None) -> str:
    """USD per million tokens without the sign: 20.00, 0.15, 0.075."""
    if value is None:
        return NONE
    whole, _, decimals = fixed(value, 6).rstrip("0").partition(".")
    return f"{whole}.{decimals:0<2}"


def percent(share: float | None, decimals: int = 0) -> str:
    """A share of 1 as a percentage: 0.424 is 42 %."""
    return NONE if share is None else f"{fixed(share * 100, decimals)}{NARROW}%"


def duration(seconds: float | None) -> str:
    """1 h 5 min, 1 min 48 s, 12 s, 0.4 s."""
    if seconds is None:
        return NONE
    if 0 < seconds < 9.95:
        return f"{fixed(seconds, 1)} s"
    whole = round(seconds)
    hours, minutes, rest = whole // 3600, whole // 60 % 60, whole % 60
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"


def tier(tokens: int) -> str:
    """A context size as people say it: 0, 1K, 50K, 1.5K, 1M."""
    for size, letter in ((1_000_000, "M"), (1_000, "K")):
        if tokens >= size:
            return f"{tokens / size:.3f}".rstrip("0").rstrip(".") + letter
    return str(tokens)


def span(low: float | None, high: float | None, show: Callable[[float], str] | None = None) -> str:
    """An interval: 179.2–185.4, or "−9 to 17" with a minus. Both ends go through `show`, or
    get the digits that the interval itself justifies."""
    if low is None or high is None:
        return NONE
    half = (high - low) / 2
    first, last = (show(end) if show else number(end, half) for end in (low, high))
    return f"{first} to {last}" if "−" in first + last else f"{first}–{last}"
