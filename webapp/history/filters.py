"""What the address of the history says: search, filters, order, page."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import ClassVar

from webapp.listing import STATES, Listing

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


@dataclass(frozen=True, slots=True)
class Filters(Listing):
    """Values as they were typed; an empty one filters nothing. `since` and `until` are days
    of UTC, both included, and stand as `from` and `to` in the address."""

    sorts: ClassVar[Mapping[str, bool]] = SORTS

    provider: str = ""
    model: str = ""
    since: str = ""
    until: str = ""

    @property
    def own(self) -> dict[str, str]:
        return {
            "provider": self.provider,
            "model": self.model,
            "from": self.since,
            "to": self.until,
        }

    @property
    def period(self) -> tuple[float | None, float | None]:
        """Not before the first, and before the second, as UTC epoch seconds."""
        first, last = _day(self.since), _day(self.until)
        return _midnight(first), _midnight(last + timedelta(days=1) if last else None)


def read(args: Mapping[str, str]) -> tuple[Filters, dict[str, str]]:
    """The filters of an address, and a sentence for each value that cannot be used."""
    filters = Filters.of(
        args,
        state=args.get("state", ""),
        sort=args.get("sort") or "when",
        provider=args.get("provider", ""),
        model=args.get("model", ""),
        since=args.get("from", "").strip(),
        until=args.get("to", "").strip(),
    )
    return filters, _problems(filters)


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
