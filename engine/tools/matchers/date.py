"""The same instant, however it is written."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, tzinfo
from functools import lru_cache
from typing import Any

from engine.tools.matchers.base import Fit, Similarity, shown, shown_any
from engine.tools.suites import Date

_TEXT_MAX_CHARS = 100
# What a text leaves out is filled in from each of these: two texts are the same instant only
# when they leave out the same ("5 March" is not 5 March of some year).
_FILLS = (datetime(2000, 1, 1), datetime(2004, 5, 30))  # noqa: DTZ001 - parts, not instants
_UTC_NAMES = frozenset({"UTC", "GMT", "Z", "z"})


def fit(_match: Date, values: Sequence[Any], found: Any, _ask: Similarity | None) -> Fit:
    instant = _instants(found) if isinstance(found, str) else None
    if instant is None:
        return Fit(False, f"{shown(found)} is no date or time.")
    for value in values:
        if isinstance(value, str) and _instants(value) == instant:
            return Fit(True, f"The same instant as {shown(value)}.")
    return Fit(False, f"Must be the same instant as {shown_any(values)}.")


@lru_cache(maxsize=4_096)
def _instants(text: str) -> tuple[datetime, ...] | None:
    """The instant under each filling, UTC; None when the text is no date or time."""
    from dateutil import parser

    if len(text) > _TEXT_MAX_CHARS:
        return None
    try:
        read = [parser.parse(text, default=fill, tzinfos=_zone) for fill in _FILLS]
        return tuple(_in_utc(item) for item in read)
    except (ValueError, OverflowError, TypeError):
        return None


def _in_utc(moment: datetime) -> datetime:
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def _zone(name: str | None, offset: int | None) -> tzinfo | None:
    """Zones are offsets or UTC; a name such as "EST" has more than one meaning."""
    from dateutil import tz

    if offset is not None:
        return tz.tzoffset(name, offset)
    if name is None:
        return None
    if name in _UTC_NAMES:
        return UTC
    raise ValueError(f"{name} is no time zone here")
