"""Two runs side by side: each model and context size that both measured, compared."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from engine.report import Result
from engine.report.pairing import versus
from engine.report.wording import FIRST_TOKEN, SPEED, Metric
from engine.stats import Comparison, adjusted

METRICS = (SPEED, FIRST_TOKEN)
SIDES = ("A", "B")
# What names a line.
PLACE = ("provider", "model", "label", "context_tokens", "concurrency", "rate")


@dataclass(frozen=True, slots=True)
class Line:
    """One figure of one model at one context size; `versus` compares B with A, its p value
    adjusted for all lines of the page."""

    metric: Metric
    a: Result
    b: Result
    versus: Comparison

    @property
    def winner(self) -> str:
        """ "A" or "B" where one is better beyond chance, else empty."""
        return {"faster": "B", "slower": "A"}.get(self.versus.verdict, "")

    def as_data(self) -> dict[str, Any]:
        """Full values; the difference is B minus A, the ratio B divided by A."""
        versus = self.versus
        return {name: getattr(self.a, name) for name in PLACE} | {
            "metric": self.metric.name,
            "a": _figure(self.metric, self.a),
            "b": _figure(self.metric, self.b),
            "difference": versus.difference,
            "difference_ci95": list(versus.difference_ci),
            "ratio": versus.ratio,
            "ratio_ci95": list(versus.ratio_ci),
            "p_value": versus.p_value,
            "conclusive": versus.conclusive,
            "better": self.winner.lower() or None,
        }


class Left(NamedTuple):
    """A model at a context size that cannot be compared, and why."""

    result: Result
    reason: str

    def as_data(self) -> dict[str, Any]:
        return {name: getattr(self.result, name) for name in PLACE} | {"reason": self.reason}


class Compared(NamedTuple):
    """`lines` in the order of A's spec, one metric after the other."""

    lines: tuple[Line, ...]
    left: tuple[Left, ...]

    def of(self, metric: Metric) -> list[Line]:
        return [line for line in self.lines if line.metric is metric]


def compare_runs(a: Sequence[Result], b: Sequence[Result]) -> Compared:
    """Compare what both runs measured, for output speed and first token.

    Holm's adjustment counts every line of both figures, so that two runs of the same thing
    seem to differ anywhere on the page in at most 5 % of comparisons.
    """
    others = {_place(result): result for result in b}
    pairs, left = [], []
    for mine in a:
        theirs = others.pop(_place(mine), None)
        reason = "Only in A" if theirs is None else _obstacle(mine, theirs)
        if theirs is None or reason:
            left.append(Left(mine, reason))
        else:
            pairs.append((mine, theirs))
    left += (Left(result, "Only in B") for result in others.values())
    return Compared(tuple(_lines(pairs)), tuple(left))


def level(result: Result) -> str:
    """How hard was asked, where that is part of the place: "64 streams"."""
    if result.rate:
        return f"{result.rate:g} requests/s"
    return f"{result.concurrency} streams" if (result.concurrency or 1) > 1 else ""


def sizes(compared: Compared) -> set[int]:
    """Every context size that stands anywhere in a comparison."""
    results = [*(line.a for line in compared.lines), *(result for result, _ in compared.left)]
    return {result.context_tokens for result in results}


def _lines(pairs: Sequence[tuple[Result, Result]]) -> Iterator[Line]:
    asked = [
        (metric, mine, theirs)
        for metric in METRICS
        for mine, theirs in pairs
        if metric.summary(mine).n and metric.summary(theirs).n
    ]
    found = [
        versus(theirs, mine, metric.name, higher_is_better=metric.higher_is_better)
        for metric, mine, theirs in asked
    ]
    for (metric, mine, theirs), compared in zip(asked, adjusted(found), strict=True):
        yield Line(metric, mine, theirs, compared)


def _obstacle(a: Result, b: Result) -> str:
    """Why two results of the same model cannot be compared; empty when they can."""
    silent = [side for side, result in zip(SIDES, (a, b), strict=True) if not result.ttft_ms.n]
    if silent:
        return f"No answer in {' and '.join(silent)}"
    if (a.clock in ("library", "mixed")) != (b.clock in ("library", "mixed")):
        return "Timed by different clocks"
    return ""


def _place(result: Result) -> tuple[Any, ...]:
    where = (result.provider, result.model, result.context_tokens)
    return (*where, result.concurrency, result.rate)


def _figure(metric: Metric, result: Result) -> dict[str, Any]:
    summary = metric.summary(result)
    return {"p50": summary.p50, "ci95": list(summary.ci95), "n": summary.n}
