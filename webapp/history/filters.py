"""What the address of the history says: search, filters, order, page."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

from webapp.models import ACTIVE_STATES, FINAL_STATES

STATES = (*ACTIVE_STATES, *FINAL_STATES)
# What a list can be sorted by, and whether it then begins with the largest.
SORTS = {
    "when": True,
    "name": False,
    "state": False,
    "ok": True,
    "speed": True,
    "first": False,
    "cost": False,
}
SEARCH_MAX_CHARS = 200
PAGE_MAX = 1_000_000


@dataclass(frozen=True, slots=True)
class Filters:
    """Values as they were typed; an empty one filters nothing. `since` and `until` are days
    of UTC, both included, and stand as `from` and `to` in the address."""

    q: str = ""
    state: str = ""
    provider: str = ""
    model: str = ""
    since: str = ""
    until: str = ""
    sort: str = "when"
    descending: bool = True
    page: int = 1

    @property
    def narrowed(self) -> bool:
        """Whether anything may be left out."""
        return any((self.q, self.state, self.provider, self.model, self.since, self.until))

    @property
    def period(self) -> tuple[float | None, float | None]:
        """Not before the first, and before the second, as UTC epoch seconds."""
        first, last = _day(self.since), _day(self.until)
        return _midnight(first), _midnight(last + timedelta(days=1) if last else None)

    def args(self, **changes: Any) -> dict[str, Any]:
        """The arguments of the address that shows this list; what is usual is left out."""
        new = replace(self, **changes)
        usual_way = new.descending == SORTS.get(new.sort)
        found = {
            "q": new.q,
            "state": new.state,
            "provider": new.provider,
            "model": new.model,
            "from": new.since,
            "to": new.until,
            "sort": new.sort if new.sort != "when" or not usual_way else "",
            "dir": "" if usual_way else "desc" if new.descending else "asc",
            "page": new.page if new.page > 1 else "",
        }
        return {name: value for name, value in found.items() if value}

    def sorted_by(self, sort: str) -> dict[str, Any]:
        """The arguments for the order of a column, the other way round when it has it."""
        descending = not self.descending if sort == self.sort else SORTS[sort]
        return self.args(sort=sort, descending=descending, page=1)


def read(args: Mapping[str, str]) -> tuple[Filters, dict[str, str]]:
    """The filters of an address, and a sentence for each value that cannot be used."""
    sort = args.get("sort") or "when"
    ways = {"asc": False, "desc": True}
    filters = Filters(
        q=" ".join(args.get("q", "").split())[:SEARCH_MAX_CHARS],
        state=args.get("state", ""),
        provider=args.get("provider", ""),
        model=args.get("model", ""),
        since=args.get("from", "").strip(),
        until=args.get("to", "").strip(),
        sort=sort,
        descending=ways.get(args.get("dir", ""), SORTS.get(sort, True)),
        page=_page(args.get("page", "")),
    )
    return filters, _problems(filters)


def _page(text: str) -> int:
    """A page that does not exist is the nearest one that may."""
    if not (text.isascii() and text.isdecimal()):
        return 1
    return min(max(int(text[:9]), 1), PAGE_MAX)


def _problems(filters: Filters) -> dict[str, str]:
    found = {}
    for name, value in (("from", filters.since), ("to", filters.until)):
        if value and _day(value) is None:
            found[name] = f"“{value[:40]}” is not a day. Write it as in 2026-11-23."
    first, last = _day(filters.since), _day(filters.until)
    if first and last and first > last:
        found["to"] = "The last day is before the first. Choose a later one."
    if filters.state and filters.state not in STATES:
        found["state"] = f"There is no state “{filters.state[:40]}”. Choose one of those offered."
    if filters.sort not in SORTS:
        found["sort"] = f"Runs cannot be sorted by “{filters.sort[:40]}”. Choose a column."
    return found


def _day(text: str) -> date | None:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return None
    # The day after the last one of the calendar does not exist.
    return day if len(text) == len("2026-11-23") and day < date.max else None


def _midnight(day: date | None) -> float | None:
    return None if day is None else datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp()
