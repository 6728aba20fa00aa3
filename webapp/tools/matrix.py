"""The matrix: which of the cases are shown, in which order, and what stands in a cell.

Search, filters, order and page are words of the address.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from webapp import listing
from webapp.tools import words
from webapp.tools.cells import OUTCOMES, CaseRow, Cell, Column, Figures

PAGE_SIZE = 50
DIFFER = "differ"
SHOWN = [
    ("pass", "passed"),
    ("fail", "failed"),
    ("flaky", "flaky"),
    ("infrastructure", "no answer"),
    ("waiting", "waiting"),
    (DIFFER, "models differ"),
]
ORDERS = [("", "as in the suite"), ("hard", "hardest first"), ("easy", "easiest first")]


@dataclass(frozen=True, slots=True)
class Filters:
    """Values as typed; an empty one filters nothing. `model` is the number of a column to
    which `outcome` and `error` are held, 0 for any."""

    q: str = ""
    category: str = ""
    outcome: str = ""
    error: str = ""
    model: int = 0
    sort: str = ""
    page: int = 1

    @property
    def narrowed(self) -> bool:
        """Whether anything may be left out."""
        return any((self.q, self.category, self.outcome, self.error))

    def args(self, **changes: Any) -> dict[str, Any]:
        """The arguments of the address that shows this; what is usual is left out."""
        new = replace(self, **changes)
        found = {name: getattr(new, name) for name in self.__slots__}
        found["page"] = new.page if new.page > 1 else 0
        return {name: value for name, value in found.items() if value}


def read(args: Mapping[str, str]) -> Filters:
    """The filters of an address; a word that means nothing is left out."""
    outcome, sort = args.get("outcome", ""), args.get("sort", "")
    return Filters(
        q=listing.search(args),
        category=args.get("category", ""),
        outcome=outcome if outcome in (*OUTCOMES, DIFFER) else "",
        error=args.get("error", ""),
        model=_number(args.get("model", "")),
        sort=sort if sort in dict(ORDERS) else "",
        page=listing.page(args),
    )


class Shown(NamedTuple):
    """A cell on the page: `kind` is its class, `mark` a symbol and `text` its word."""

    column: Column
    kind: str
    mark: str
    text: str
    said: str


class Line(NamedTuple):
    """A case with its cells."""

    case: CaseRow
    cells: list[Shown]


class Page(NamedTuple):
    """One page of the cases that match; `total` counts all of them."""

    lines: list[Line]
    total: int
    number: int
    last: int

    @property
    def first_place(self) -> int:
        return (self.number - 1) * PAGE_SIZE + 1


def page(known: Figures, filters: Filters) -> Page:
    """The page that `filters` ask for, or the last one when it lies beyond."""
    chosen = matching(known, filters)
    last = max(1, -(-len(chosen) // PAGE_SIZE))
    number = min(filters.page, last)
    part = chosen[(number - 1) * PAGE_SIZE : number * PAGE_SIZE]
    return Page([_line(known, case) for case in part], len(chosen), number, last)


def every(known: Figures) -> list[Line]:
    """All cases, in the order of the suite."""
    return [_line(known, case) for case in known.cases]


def matching(known: Figures, filters: Filters) -> list[CaseRow]:
    """The cases that fit, in the order asked for."""
    terms = filters.q.lower().split()
    columns = [c for c in known.columns if filters.model in (0, c.number)] or list(known.columns)
    chosen = [
        case
        for case in known.cases
        if (not filters.category or case.category == filters.category)
        and all(term in f"{case.id} {case.prompt}".lower() for term in terms)
        and _fits([known.cell(case, column) for column in columns], filters)
    ]
    if filters.sort:
        chosen.sort(key=lambda case: _ease(known, case), reverse=filters.sort == "easy")
    return chosen


def neighbours(
    known: Figures, case: CaseRow, filters: Filters
) -> tuple[CaseRow | None, CaseRow | None]:
    """The cases before and after one, among those that match."""
    chosen = matching(known, filters)
    places = [one.place for one in chosen]
    if case.place not in places:
        return None, None
    at = places.index(case.place)
    return (chosen[at - 1] if at else None), (chosen[at + 1] if at + 1 < len(chosen) else None)


def _fits(cells: list[Cell], filters: Filters) -> bool:
    if filters.error and not any(filters.error in cell.errors for cell in cells):
        return False
    if filters.outcome == DIFFER:
        return len({cell.passes for cell in cells if cell.passes is not None}) > 1
    return not filters.outcome or any(cell.outcome == filters.outcome for cell in cells)


def _ease(known: Figures, case: CaseRow) -> float:
    cells = [known.cell(case, column) for column in known.columns]
    scored = sum(cell.scored for cell in cells)
    return sum(cell.passed for cell in cells) / scored if scored else 2.0


def _line(known: Figures, case: CaseRow) -> Line:
    return Line(case, [shown(known.cell(case, column), column) for column in known.columns])


_KINDS = {"pass": "p", "fail": "f", "flaky": "m", "infrastructure": "x", "waiting": "w"}
_MARKS = {"pass": "✓", "fail": "✗", "infrastructure": "!", "waiting": ""}


def shown(cell: Cell, column: Column) -> Shown:
    """What stands in a cell: never a colour alone."""
    outcome = cell.outcome
    if outcome == "pass":
        text = "pass" if cell.scored == 1 else f"{cell.passed} of {cell.scored}"
    elif outcome == "flaky":
        text = f"{cell.passed} of {cell.scored}"
    elif outcome == "fail":
        text = words.error(cell.errors[0]) if cell.errors else "fail"
    elif outcome == "infrastructure":
        text = words.trouble(cell.trouble)
    else:
        text = "waiting"
    mark = _MARKS.get(outcome, "✓" if cell.passes else "✗")
    return Shown(column, _KINDS[outcome], mark, text, words.cell(cell))


def _number(text: str) -> int:
    return int(text[:9]) if text.isascii() and text.isdecimal() else 0
