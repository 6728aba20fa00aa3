"""Every number's one formatting on a page, as Jinja filters.

The numbers themselves are `engine.report.numbers`, which the terminal uses too.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from engine.report.numbers import (
    NONE,
    count,
    duration,
    ms,
    number,
    percent,
    price,
    span,
    tier,
    tps,
    usd,
)

if TYPE_CHECKING:
    from flask import Flask

__all__ = [
    "NONE",
    "count",
    "duration",
    "html_attributes",
    "ms",
    "number",
    "percent",
    "price",
    "span",
    "tier",
    "tps",
    "usd",
    "when",
]


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
    "price": price,
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
