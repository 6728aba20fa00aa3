"""A result without its samples, and what pages draw of them.

A report is looked at more often than it changes, and a load run has a hundred thousand
samples. So what is drawn is taken from them once, when a level or a run has ended.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np

from engine.report.result import METRICS, Client, Goodput, Recall, Requests, Result
from engine.samples import Sample, Tokens
from engine.stats import Summary, describe

# With more values in all a distribution is drawn from this many of its quantiles.
POINTS_MAX = 200
CURVES = ("ttft_ms", "e2e_ms")
_OTHER: dict[str, Any] = {"requests": Requests, "warmups": Requests, "tokens": Tokens}


@dataclass(frozen=True, slots=True)
class Digest:
    """`result` has no samples, and its outliers are empty. Times are milliseconds.

    `curves` are distribution functions by metric: values in ascending order, all of them or
    POINTS_MAX evenly spaced quantiles. `firsts` holds (run, first token) of every answer,
    nothing when there are more than POINTS_MAX. `outliers` are run numbers by metric.
    `opening` describes connect and TLS time of the requests that opened a connection;
    `trouble` is the first thing that went wrong, "" when nothing did.
    """

    result: Result
    curves: dict[str, list[float]]
    firsts: list[tuple[int, float]]
    outliers: dict[str, list[int]]
    opening: dict[str, Summary]
    trouble: str = ""


def digest(result: Result, taken: Iterable[Sample] = ()) -> Digest:
    """What is kept of `result`. `taken` are all samples of its target and size: connections are
    opened by the warm-ups, which the result only counts."""
    place = (result.provider, result.model, result.context_tokens)
    warm = [sample for sample in taken if sample.key.warmup and sample.key[:3] == place]
    firsts = [(s.key.run, s.ttft_ms) for s in result.ok if s.ttft_ms is not None]
    return Digest(
        result=replace(result, samples=(), outliers={}),
        curves={metric: curve(result.values(metric)) for metric in CURVES},
        firsts=firsts if len(firsts) <= POINTS_MAX else [],
        outliers={
            metric: [result.samples[i].key.run for i in found]
            for metric, found in result.outliers.items()
        },
        opening={
            name: describe(getattr(sample, name) for sample in (*warm, *result.samples))
            for name in ("connect_ms", "tls_ms")
        },
        trouble=next((sample.message for sample in result.samples if sample.message), ""),
    )


def curve(values: Sequence[float]) -> list[float]:
    """The values in ascending order, thinned to evenly spaced quantiles when they are many;
    the lowest and the highest stay."""
    ordered = np.sort(np.array(values, dtype=np.float64))
    if ordered.size > POINTS_MAX:
        ordered = np.quantile(ordered, np.linspace(0, 1, POINTS_MAX))
    return [float(value) for value in ordered]


def dump(found: Digest) -> dict[str, Any]:
    """A digest as JSON."""
    row = found.result.as_dict()
    del row["samples"]
    return {
        "result": row,
        "curves": found.curves,
        "firsts": [list(pair) for pair in found.firsts],
        "outliers": found.outliers,
        "opening": {name: summary.as_dict() for name, summary in found.opening.items()},
        "trouble": found.trouble,
    }


def load(content: Mapping[str, Any]) -> Digest:
    """The inverse of `dump`. Raises KeyError or TypeError for what another version wrote."""
    row: dict[str, Any] = dict(content["result"])
    row |= {name: _summary(row[name]) for name in METRICS}
    row |= {name: kind(**row[name]) for name, kind in _OTHER.items()}
    row["client"] = Client(**{**row["client"], "marks": tuple(row["client"]["marks"])})
    row["goodput"] = Goodput(**{**row["goodput"], "ci95": tuple(row["goodput"]["ci95"])})
    row["recall"] = Recall(**{**row["recall"], "ci95": tuple(row["recall"]["ci95"])})
    for field in fields(Result):
        if isinstance(row.get(field.name), list):
            row[field.name] = tuple(row[field.name])
    return Digest(
        result=Result(**row, samples=()),
        curves=content["curves"],
        firsts=[(run, first) for run, first in content["firsts"]],
        outliers=content["outliers"],
        opening={name: _summary(summary) for name, summary in content["opening"].items()},
        trouble=content["trouble"],
    )


def _summary(row: Mapping[str, Any]) -> Summary:
    low, high = row["ci95"]
    return Summary(**{**row, "ci95": (low, high)})
