"""What the address of the list of evaluations says: search, filters, order, page."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from webapp.models import ACTIVE_STATES, FINAL_STATES

STATES = (*ACTIVE_STATES, *FINAL_STATES)
# What the list can be sorted by, and whether it then begins with the largest.
SORTS = {"when": True, "name": False, "state": False}
SEARCH_MAX_CHARS = 200
PAGE_MAX = 1_000_000


@dataclass(frozen=True, slots=True)
class Filters:
    """Values as they were typed; an empty one filters nothing."""

    q: str = ""
    state: str = ""
    suite: str = ""
    sort: str = "when"
    descending: bool = True
    page: int = 1

    @property
    def narrowed(self) -> bool:
        """Whether anything may be left out."""
        return any((self.q, self.state, self.suite))

    def args(self, **changes: Any) -> dict[str, Any]:
        """The arguments of the address that shows this list; what is usual is left out."""
        new = replace(self, **changes)
        usual_way = new.descending == SORTS.get(new.sort)
        found = {
            "q": new.q,
            "state": new.state,
            "suite": new.suite,
            "sort": new.sort if new.sort != "when" or not usual_way else "",
            "dir": "" if usual_way else "desc" if new.descending else "asc",
            "page": new.page if new.page > 1 else "",
        }
        return {name: value for name, value in found.items() if value}

    def sorted_by(self, sort: str) -> dict[str, Any]:
        """The arguments for the order of a column, the other way round when it has it."""
        descending = not self.descending if sort == self.sort else SORTS[sort]
        return self.args(sort=sort, descending=descending, page=1)


def read(args: Mapping[str, str]) -> Filters:
    """The filters of an address; a word that means nothing is left out."""
    state = args.get("state", "")
    sort = args.get("sort") if args.get("sort") in SORTS else "when"
    page = args.get("page", "")
    return Filters(
        q=" ".join(args.get("q", "").split())[:SEARCH_MAX_CHARS],
        state=state if state in STATES else "",
        suite=args.get("suite", ""),
        sort=str(sort),
        descending={"asc": False, "desc": True}.get(args.get("dir", ""), SORTS[str(sort)]),
        page=min(max(int(page[:9]), 1), PAGE_MAX) if page.isascii() and page.isdecimal() else 1,
    )
