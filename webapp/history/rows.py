"""Rows of the history: as cells of the page, and as data of its twins."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, NamedTuple

from engine.report import numbers
from engine.report.document import harmless
from engine.stats import Summary
from webapp.history.headlines import Headline, headlines
from webapp.models import Run

EMPTY = Summary()


class Column(NamedTuple):
    """A column of the page; `sort` is the word in the address, empty when it has none."""

    key: str
    heading: str
    sort: str = ""
    numeric: bool = True
    hint: str = ""


COLUMNS = (
    Column("name", "Name", "name", numeric=False),
    Column("state", "State", "state", numeric=False),
    Column("answers", "Answered", "ok", hint="Measured requests that were answered, of all"),
    Column(
        "speed",
        "Best speed, tok/s",
        "speed",
        hint="Median of the fastest model, and its 95 % interval",
    ),
    Column("first", "First token, ms", "first", hint="Median of the model that answers first"),
    Column("cost", "Cost, USD", "cost", hint="Of the whole run, warm-ups included"),
    Column("when", "Started", "when", numeric=False),
)


@dataclass(frozen=True, slots=True)
class Row:
    """A run and its headline, with the texts that the page shows."""

    run: Run
    headline: Headline

    @property
    def state(self) -> str:
        return self.run.job.state if self.run.job else "done"

    @property
    def models(self) -> list[str]:
        return [str(target.get("label") or target["model"]) for target in self.run.targets]

    @property
    def answers(self) -> str:
        ok, total = self.headline.ok, self.headline.total
        if not total:
            return numbers.NONE
        return (
            numbers.count(ok) if ok == total else f"{numbers.count(ok)} of {numbers.count(total)}"
        )

    @property
    def speed(self) -> str:
        speed = self.headline.speed or EMPTY
        return numbers.measured(speed.p50, speed.ci95)

    @property
    def interval(self) -> str:
        speed = self.headline.speed or EMPTY
        return numbers.measured_span(speed.p50, speed.ci95)

    @property
    def first(self) -> str:
        return numbers.ms((self.headline.first or EMPTY).p50)

    @property
    def cost(self) -> str:
        return numbers.usd(self.headline.cost_usd).removeprefix("$")

    def as_data(self) -> dict[str, Any]:
        """The same with full values, for JSON and CSV."""
        speed, first = self.headline.speed or EMPTY, self.headline.first or EMPTY
        started = datetime.fromtimestamp(self.run.created_at, UTC)
        return {
            "id": self.run.id,
            "name": self.run.name,
            "models": [f"{t['provider']}/{t['model']}" for t in self.run.targets],
            "state": self.state,
            "ok": self.headline.ok,
            "requests": self.headline.total,
            "fastest": self.headline.fastest or None,
            "output_tps": speed.p50,
            "output_tps_low": speed.ci95[0],
            "output_tps_high": speed.ci95[1],
            "earliest": self.headline.earliest or None,
            "ttft_ms": first.p50,
            "cost_usd": self.headline.cost_usd,
            "created_at": started.isoformat(timespec="seconds"),
        }


def rows(runs: Sequence[Run]) -> list[Row]:
    """Runs with their headlines, in the same order."""
    known = headlines(runs)
    return [Row(run, known[run.id]) for run in runs]


def to_csv(items: Sequence[Row]) -> str:
    """One line a run; text that a spreadsheet would run as a formula gets an apostrophe."""
    text = io.StringIO()
    names = list(Row(Run(spec={}, created_at=0.0), Headline()).as_data())
    writer = csv.DictWriter(text, names, lineterminator="\r\n")
    writer.writeheader()
    for item in items:
        row = item.as_data() | {"models": " ".join(item.as_data()["models"])}
        writer.writerow({name: harmless(value) for name, value in row.items()})
    return text.getvalue()
