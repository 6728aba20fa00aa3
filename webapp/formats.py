"""Every number's one formatting on a page, as Jinja filters.

None is an en dash: not measured, or not known. Minus is the true minus sign; a percent
sign stands after a narrow no-break space.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

if TYPE_CHECKING:
    from flask import Flask

NONE = "–"
_NARROW = "\u202f"


def fixed(value: float, decimals: int) -> str:
    """`value` with thousands commas, `decimals` places and a true minus."""
    text = f"{value:,.{decimals}f}"
    if text.startswith("-") and not any(digit in text for digit in "123456789"):
        text = text[1:]
    return text.replace("-", "−")


def number(value: float | None, half_width: float | None = None) -> str:
    """As many decimals as the interval's `half_width` justifies (its second digit), or
    three significant digits when there is none."""
    if value is None:
        return NONE
    size = abs(half_width or 0.0)
    kept = 1 if size else 2
    size = size or abs(value)
    decimals = kept - math.floor(math.log10(size)) if size > 0 else 0
    return fixed(value, min(max(decimals, 0), 4))


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


def percent(share: float | None, decimals: int = 0) -> str:
    """A share of 1 as a percentage: 0.424 is 42 %."""
    return NONE if share is None else f"{fixed(share * 100, decimals)}{_NARROW}%"


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


def span(low: float | None, high: float | None, show: Callable[[float], str] = number) -> str:
    """An interval, both ends through `show`: 179.2–185.4, or "−9 to 17" with a minus."""
    if low is None or high is None:
        return NONE
    first, last = show(low), show(high)
    return f"{first} to {last}" if "−" in first + last else f"{first}–{last}"


def when(at: float | None) -> str | Markup:
    """An epoch time as a <time>; the browser turns it into its own time zone."""
    if at is None:
        return NONE
    moment = datetime.fromtimestamp(at, UTC)
    text = f"{moment.day} {moment:%b %Y, %H:%M} UTC"
    return Markup('<time datetime="{}">{}</time>').format(f"{moment:%Y-%m-%dT%H:%M:%SZ}", text)


def html_attributes(values: Mapping[str, Any]) -> Markup:
    """Attributes of an element: underscores become hyphens, True stands alone, None and
    False are left out."""
    parts = [
        Markup(" {}").format(name) if value is True else Markup(' {}="{}"').format(name, value)
        for name, value in ((k.replace("_", "-"), v) for k, v in values.items())
        if value is not None and value is not False
    ]
    return Markup("").join(parts)


FILTERS: dict[str, Callable[..., Any]] = {
    "number": number,
    "count_of": count,
    "ms": ms,
    "tps": tps,
    "usd": usd,
    "percent": percent,
    "duration": duration,
    "tier": tier,
    "when": when,
    "html_attributes": html_attributes,
}


def init_app(app: Flask) -> None:
    """Register the filters, and `span` as a function."""
    app.jinja_env.filters.update(FILTERS)
    app.jinja_env.globals["span"] = span
