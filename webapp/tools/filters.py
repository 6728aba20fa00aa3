"""What the address of the list of evaluations says: search, filters, order, page."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from webapp.listing import STATES, Listing

# What the list can be sorted by, and whether it then begins with the largest.
SORTS = {"when": True, "name": False, "state": False}


@dataclass(frozen=True, slots=True)
class Filters(Listing):
    """Values as they were typed; an empty one filters nothing."""

    sorts: ClassVar[Mapping[str, bool]] = SORTS

    suite: str = ""

    @property
    def own(self) -> dict[str, str]:
        return {"suite": self.suite}


def read(args: Mapping[str, str]) -> Filters:
    """The filters of an address; a word that means nothing is left out."""
    state, sort = args.get("state", ""), args.get("sort", "")
    return Filters.of(
        args,
        state=state if state in STATES else "",
        sort=sort if sort in SORTS else "when",
        suite=args.get("suite", ""),
    )
