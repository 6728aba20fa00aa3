"""What the address of a list says, whatever is listed: search, state, order and page."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Self

from webapp.models import ACTIVE_STATES, FINAL_STATES

STATES = (*ACTIVE_STATES, *FINAL_STATES)
# (word in the address, word on the page)
STATE_CHOICES = [(name, "Waiting" if name == "queued" else name.capitalize()) for name in STATES]
SEARCH_MAX_CHARS = 200
PAGE_MAX = 1_000_000

# Ids are SQLite's integers, which have at most 19 digits; a larger number names nothing.
ID_MAX = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Listing:
    """Values as they were typed; an empty one filters nothing. A list adds its own filters."""

    # What the list can be sorted by ("when" is usual), and whether it then begins with the largest.
    sorts: ClassVar[Mapping[str, bool]] = {"when": True}

    q: str = ""
    state: str = ""
    sort: str = "when"
    descending: bool = True
    page: int = 1

    @property
    def own(self) -> dict[str, str]:
        """The filters that only this list has, by their names in the address."""
        return {}

    @property
    def narrowed(self) -> bool:
        """Whether anything may be left out."""
        return any((self.q, self.state, *self.own.values()))

    def args(self, **changes: Any) -> dict[str, Any]:
        """The arguments of the address that shows this list; what is usual is left out."""
        return replace(self, **changes)._args()

    def _args(self) -> dict[str, Any]:
        usual_way = self.descending == self.sorts.get(self.sort)
        found: dict[str, Any] = {"q": self.q, "state": self.state} | self.own
        found |= {
            "sort": self.sort if self.sort != "when" or not usual_way else "",
            "dir": "" if usual_way else "desc" if self.descending else "asc",
            "page": self.page if self.page > 1 else "",
        }
        return {name: value for name, value in found.items() if value}

    def sorted_by(self, sort: str) -> dict[str, Any]:
        """The arguments for the order of a column, the other way round when it has it."""
        descending = not self.descending if sort == self.sort else self.sorts[sort]
        return self.args(sort=sort, descending=descending, page=1)

    @classmethod
    def of(cls, args: Mapping[str, str], *, state: str, sort: str, **own: str) -> Self:
        """The listing of an address, in the state and order that the caller makes of it."""
        ways = {"asc": False, "desc": True}
        return cls(
            q=search(args),
            state=state,
            sort=sort,
            descending=ways.get(args.get("dir", ""), cls.sorts.get(sort, True)),
            page=page(args),
            **own,
        )


def search(args: Mapping[str, str]) -> str:
    """The words that are searched for, with single spaces."""
    return " ".join(args.get("q", "").split())[:SEARCH_MAX_CHARS]


def page(args: Mapping[str, str]) -> int:
    """The page; one that does not exist is the nearest one that may."""
    text = args.get("page", "")
    if not _is_number(text):
        return 1
    return min(max(int(text[:9]), 1), PAGE_MAX)


def ids(values: Iterable[str]) -> list[int]:
    """Those of the texts that can be the id of a row, each once, in their order."""
    numbers = [int(text) for text in values if len(text) < 20 and _is_number(text)]
    return [number for number in dict.fromkeys(numbers) if number <= ID_MAX]


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdecimal()
