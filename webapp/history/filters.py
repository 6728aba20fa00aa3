"""What the address of the history says: search, filters, order, page."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

from webapp.models import ACTIVE_STATES, FINAL_STATES

STATES = (*ACTIVE_STATES, *FINAL_STATES)
SORTS = ("when", "name", "state", "ok", "speed", "first", "cost")
# What reads best from the small end.
RISING = ("name", "state", "first", "cost")
PAGE_MAX = 100_000


@dataclass(frozen=True, slots=True)
class Filters:
    """Empty strings filter nothing. `since` and `until` are days (UTC, both included)."""

    q: str = ""
    state: str = ""
    provider: str = ""
    model: str = ""
    since: str = ""
    until: str = ""
    sort: str = "when"
    dir: str = "desc"
    page: int = 1

    @property
    def narrowed(self) -> bool:
        """Whether anything is left out."""
        return any((self.q, self.state, self.provider, self.model, self.since, self.until))

    def period(self) -> tuple[float | None, float | None]:
        """From and before, as UTC epoch seconds."""
        first, last = _day(self.since), _day(self.until)
        after = None if last is None else last + timedelta(days=1)
        return _epoch(first), _epoch(after)

    def args(self, **changes: Any) -> dict[str, Any]:
        """The arguments of the address that shows this, defaults left out."""
        changed = replace(self, **changes)
        return {
            field.name: value
            for field in fields(self)
            if (value := getattr(changed, field.name)) != field.default
        }

    def by(self, sort: str) -> dict[str, Any]:
        """The address of the same list in the order of a column; a second time the other
        way round."""
        if sort == self.sort:
            way = "asc" if self.dir == "desc" else "desc"
        else:
            way = "asc" if sort in RISING else "desc"
        return self.args(sort=sort, dir=way, page=1)


def read(args: Mapping[str, str]) -> tuple[Filters, dict[str, str]]:
    """The filters of an address, and a sentence for each value that cannot be used."""
    errors = {}
    for name, words in (("since", "first"), ("until", "last")):
        if args.get(name) and _day(args[name]) is None:
            errors[name] = f"Give the {words} day as year-month-day, such as 2026-11-23."
    state, sort = args.get("state", ""), args.get("sort", "when")
    page = args.get("page", "")
    found = Filters(
        q=args.get("q", "").strip()[:200],
        state=state if state in STATES else "",
        provider=args.get("provider", ""),
        model=args.get("model", ""),
        since=args.get("since", "") if "since" not in errors else "",
        until=args.get("until", "") if "until" not in errors else "",
        sort=sort if sort in SORTS else "when",
        dir="asc" if args.get("dir") == "asc" else "desc",
        page=min(int(page), PAGE_MAX) if page.isdecimal() and 0 < len(page) < 9 else 1,
    )
    return replace(found, page=max(1, found.page)), errors


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def _epoch(day: date | None) -> float | None:
    if day is None:
        return None
    return datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp()
