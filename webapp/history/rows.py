"""Runs as a list shows them: the cells of the page, and the full values of its twins."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from flask import url_for

from engine.report import numbers, wording
from engine.report.document import harmless
from webapp.history.queries import Listed

MODELS_SHOWN = 3


class Column(NamedTuple):
    """A heading; `sort` is its word in the address, empty where the list has no such order."""

    heading: str
    sort: str = ""
    numeric: bool = False
    hint: str = ""


COLUMNS = (
    Column("Name and models", "name"),
    Column("Started", "when"),
    Column("State", "state"),
    Column("Answered", "ok", True, "Answers of the requests that were measured"),
    Column("Output, tok/s", "speed", True, "Median of the fastest model"),
    Column("95 % interval", "", True, "Interval of that median"),
    Column("First token, ms", "first", True, "Median of the model that answers first"),
    Column("Cost, USD", "cost", True, "Of the measured requests, without warm-ups"),
)


class Row(NamedTuple):
    """One run, as the texts of its cells. `fastest` and `earliest` are the models whose figures
    stand there; `several` says that the run has more than one."""

    id: int
    name: str
    created_at: float
    models: str
    providers: str
    state: str
    answered: str
    troubles: str
    speed: str
    fastest: str
    interval: str
    first: str
    earliest: str
    cost: str
    several: bool


def row(listed: Listed) -> Row:
    """A run as the page shows it."""
    run, content = listed.run, listed.content
    labels = [target["label"] or target["model"] for target in run.targets]
    providers = [target["provider_label"] or target["provider"] for target in run.targets]
    requests = content["requests"]
    speed, low, high = _figure(content["fastest"], "output_tps")
    first, *_ = _figure(content["earliest"], "ttft_ms")
    return Row(
        id=run.id,
        name=run.name,
        created_at=run.created_at,
        models=_listed(labels),
        providers=_listed(list(dict.fromkeys(providers))),
        state=listed.state,
        answered=_answered(requests["ok"], sum(requests.values())),
        troubles=", ".join(wording.troubles(content["errors"])),
        speed=numbers.measured(speed, (low, high)),
        fastest=content["fastest"]["label"] if content["fastest"] else "",
        interval=numbers.measured_span(speed, (low, high)),
        first=numbers.ms(first),
        earliest=content["earliest"]["label"] if content["earliest"] else "",
        cost=numbers.usd(content["cost_usd"]).removeprefix("$"),
        several=len(labels) > 1,
    )


def as_data(listed: Listed) -> dict[str, Any]:
    """A run for the JSON twin: full values, times in UTC epoch seconds, None where unknown."""
    run = listed.run
    names = ("provider", "model", "label", "provider_label")
    return {
        **run_data(run),
        "finished_at": run.finished_at,
        "state": listed.state,
        "models": [{name: target[name] for name in names} for target in run.targets],
        **listed.content,
    }


def run_data(run: Any) -> dict[str, Any]:
    """What names a run."""
    url = url_for("benchmark.show", run_id=run.id)
    return {"id": run.id, "name": run.name, "url": url, "created_at": run.created_at}


def to_csv(every: Iterable[Listed]) -> str:
    """The values of the JSON, one line a run: nested names joined by a dot, models as
    "demo/fast demo/slow", errors as "timeout:2 server:1"."""
    return csv_text(_CSV_COLUMNS, (_csv_row(as_data(listed)) for listed in every))


def csv_text(columns: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> str:
    """Lines under a heading; text that a spreadsheet would run gets an apostrophe in front."""
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, lineterminator="\r\n")
    writer.writeheader()
    for values in rows:
        writer.writerow({name: harmless(value) for name, value in values.items()})
    return text.getvalue()


_PLAIN = ("id", "name", "url", "created_at", "finished_at", "state")
_LEADERS = {"fastest": "output_tps", "earliest": "ttft_ms"}
_OF_LEADER = ("provider", "model", "label", "context_tokens")
_OF_FIGURE = ("p50", "ci95.low", "ci95.high", "n")
_CSV_COLUMNS = (
    *(*_PLAIN, "models", "requests.ok", "requests.failed", "requests.incomplete", "errors"),
    *(
        f"{leader}.{name}"
        for leader, metric in _LEADERS.items()
        for name in (*_OF_LEADER, *(f"{metric}.{part}" for part in _OF_FIGURE))
    ),
    "cost_usd",
)


def _csv_row(data: Mapping[str, Any]) -> dict[str, Any]:
    found = {name: data[name] for name in (*_PLAIN, "cost_usd")}
    found["models"] = " ".join(f"{item['provider']}/{item['model']}" for item in data["models"])
    found["errors"] = " ".join(f"{kind}:{number}" for kind, number in data["errors"].items())
    found |= {f"requests.{outcome}": number for outcome, number in data["requests"].items()}
    for leader, metric in _LEADERS.items():
        if data[leader]:
            found |= {f"{leader}.{name}": data[leader][name] for name in _OF_LEADER}
            found |= figure_cells(f"{leader}.{metric}", data[leader][metric])
    return found


def figure_cells(prefix: str, figure: Mapping[str, Any]) -> dict[str, Any]:
    """A median with its interval and n as cells of a CSV line."""
    low, high = figure["ci95"]
    values = (figure["p50"], low, high, figure["n"])
    return {f"{prefix}.{part}": value for part, value in zip(_OF_FIGURE, values, strict=True)}


def _figure(leader: Mapping[str, Any] | None, metric: str) -> tuple[float | None, ...]:
    return (
        (None, None, None) if leader is None else (leader[metric]["p50"], *leader[metric]["ci95"])
    )


def _answered(ok: int, total: int) -> str:
    return f"{numbers.count(ok)} of {numbers.count(total)}" if total else numbers.NONE


def _listed(names: Sequence[str]) -> str:
    """ "a, b, c", "a, b, c and 4 more"."""
    more = len(names) - MODELS_SHOWN
    shown = ", ".join(names[:MODELS_SHOWN])
    return f"{shown} and {more} more" if more > 0 else shown
