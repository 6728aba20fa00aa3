"""Two runs side by side: per model and context size that both measured, which run was
faster, by how much, and how sure that is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from engine.report import Result, numbers
from engine.report.wording import FIRST_TOKEN, SPEED, Metric
from engine.stats import NOT_DISTINGUISHABLE, Comparison, adjusted, compare, runs_to_compare

LIBRARY = ("library", "mixed")


@dataclass(frozen=True, slots=True)
class Line:
    """One model at one context size in both runs; `versus` compares b with a."""

    a: Result
    b: Result
    metric: Metric
    versus: Comparison

    @property
    def verdict(self) -> str:
        """ "b is faster", "a is faster", "not distinguishable", or "too few runs"."""
        if not self.versus.conclusive:
            return "too few runs"
        words = {"faster": "B is faster", "slower": "A is faster"}
        return words.get(self.versus.verdict, NOT_DISTINGUISHABLE)

    def text(self, result: Result) -> str:
        """The median of one side."""
        return self.metric.text(self.metric.summary(result).p50 or 0.0)

    def interval(self, result: Result) -> str:
        """The interval of one side's median."""
        summary = self.metric.summary(result)
        return numbers.measured_span(summary.p50, summary.ci95)

    @property
    def change(self) -> str:
        """B minus A."""
        half = _half(self.versus.difference_ci)
        text = numbers.number(self.versus.difference, half)
        return text if text.startswith("−") or text == numbers.NONE else f"+{text}"

    @property
    def change_interval(self) -> str:
        return numbers.span(*self.versus.difference_ci)

    @property
    def ratio(self) -> str:
        """B divided by A."""
        ratio = self.versus.ratio
        return numbers.NONE if ratio is None else f"{numbers.fixed(ratio, 2)}×"

    @property
    def p_value(self) -> str:
        """How likely chance alone gives such a difference, after Holm."""
        p = self.versus.p_value
        if p is None:
            return numbers.NONE
        return "under 0.001" if p < 0.001 else numbers.fixed(p, 3)


def lines(a: Sequence[Result], b: Sequence[Result], metric: Metric) -> list[Line]:
    """The places that both runs measured with the same clock, Holm-adjusted together."""
    others = {_place(result): result for result in b}
    pairs = [
        (result, other)
        for result in a
        if (other := others.get(_place(result))) is not None
        and metric.summary(result).n
        and metric.summary(other).n
        and (result.clock in LIBRARY) == (other.clock in LIBRARY)
    ]
    versus = adjusted(
        [
            compare(
                theirs.values(metric.name),
                mine.values(metric.name),
                higher_is_better=metric.higher_is_better,
            )
            for mine, theirs in pairs
        ]
    )
    return [Line(*pair, metric, item) for pair, item in zip(pairs, versus, strict=True)]


def sentence(found: Sequence[Line]) -> tuple[str, str]:
    """The answer that stands first: a claim, and what follows it."""
    if not found:
        return "No model was measured in both runs", ""
    sure = [line for line in found if line.verdict in ("A is faster", "B is faster")]
    if not sure:
        return _unsure(found)
    strongest = max(sure, key=lambda line: _strength(line.versus))
    mine, theirs = (strongest.text(side) for side in (strongest.a, strongest.b))
    claim = (
        f"{strongest.verdict} with {_name(strongest.b, found)}: "
        f"{theirs} against {mine} {strongest.metric.unit}, {strongest.ratio}"
    )
    rest = _rest([line for line in found if line is not strongest])
    low, high = strongest.versus.ratio_ci
    interval = f"95 % interval {numbers.span(low, high)}, " if low is not None else ""
    return claim, f"({interval}p {strongest.p_value}). {rest}".strip()


def _unsure(found: Sequence[Line]) -> tuple[str, str]:
    first = found[0]
    if not any(line.versus.conclusive for line in found):
        return (
            "Too few runs to tell the two apart",
            f"({runs_to_compare(len(found))} or more of each model can show a difference).",
        )
    said = f"(difference {first.change} {first.metric.unit}, interval {first.change_interval})."
    if len(found) > 1:
        said = f"with any of the {len(found)} models and sizes both measured."
    return "The two runs are not distinguishable in output speed", said


def _rest(others: Sequence[Line]) -> str:
    """What the remaining lines say, counted by verdict."""
    parts = []
    for verdict in ("B is faster", "A is faster", NOT_DISTINGUISHABLE, "too few runs"):
        names = [_name(line.b, others) for line in others if line.verdict == verdict]
        if names:
            parts.append(f"{verdict} with {', '.join(names)}")
    said = "; ".join(parts)
    return f"{said[:1].upper()}{said[1:]}." if said else ""


def _name(result: Result, among: Sequence[Line]) -> str:
    sizes = {line.b.context_tokens for line in among}
    at = f" at {numbers.tier(result.context_tokens)}" if len(sizes) > 1 else ""
    return f"{result.label}{at}"


def _strength(versus: Comparison) -> float:
    ratio = versus.ratio or 1.0
    return max(ratio, 1 / ratio) if ratio > 0 else 1.0


def _place(result: Result) -> tuple[str, str, int]:
    return result.provider, result.model, result.context_tokens


def _half(interval: tuple[float | None, float | None]) -> float | None:
    low, high = interval
    return None if low is None or high is None else (high - low) / 2


__all__ = ["FIRST_TOKEN", "SPEED", "Line", "lines", "sentence"]
