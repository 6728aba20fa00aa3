"""What a bench gives: figures for the JSON file, a table to read, and what must hold."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Check:
    """A figure and its limit. `excused` says that the product itself marks the result as one
    the generator could not take; then it counts as held."""

    what: str
    value: float | None
    limit: float
    unit: str = ""
    at_least: bool = False
    excused: str = ""

    @property
    def held(self) -> bool:
        if self.value is None:
            return False
        if self.excused:
            return True
        return self.value >= self.limit if self.at_least else self.value <= self.limit

    def sentence(self) -> str:
        value = "not measured" if self.value is None else f"{self.value:,.4g}{self.unit}"
        sign = "≥" if self.at_least else "≤"
        note = f" ({self.excused})" if self.excused else ""
        return f"{self.what}: {value}, must be {sign} {self.limit:g}{self.unit}{note}"


@dataclass(slots=True)
class Outcome:
    """One bench's part. `markdown` is ready to be pasted into a page."""

    figures: dict[str, Any] = field(default_factory=dict)
    checks: list[Check] = field(default_factory=list)
    markdown: str = ""

    def document(self) -> dict[str, Any]:
        """As it stands in the results."""
        checks = [{**asdict(check), "held": check.held} for check in self.checks]
        return {**self.figures, "checks": checks}


def markdown_table(heads: list[str], rows: list[list[str]]) -> str:
    """A Markdown table; the columns after the second are numbers."""
    rules = ["---"] * 2 + ["---:"] * (len(heads) - 2)
    lines = [heads, rules[: len(heads)], *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)
