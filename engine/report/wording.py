"""How compared figures are said: units, differences, ratios, names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from engine.report import numbers
from engine.report.pairing import versus
from engine.report.result import Result
from engine.stats import Comparison, Interval, Summary, adjusted

PERCENT95 = f"95{numbers.NARROW}% interval"

# How requests failed, as it reads behind a 1 and behind a larger number.
TROUBLES = {
    "auth": ("key refused", "keys refused"),
    "rate_limited": ("rate limited", "rate limited"),
    "timeout": ("timed out", "timed out"),
    "connect": ("not reached", "not reached"),
    "server": ("server error", "server errors"),
    "bad_request": ("request refused", "requests refused"),
    "content_filter": ("filtered", "filtered"),
    "empty_output": ("empty answer", "empty answers"),
    "stream_broken": ("cut off", "cut off"),
    "unsupported": ("unsupported", "unsupported"),
}


@dataclass(frozen=True, slots=True)
class Verdict:
    """`headline` is the claim, `interval` its uncertainty (both without a full stop, the
    interval may be empty), `notes` whole sentences that follow."""

    headline: str
    interval: str = ""
    notes: tuple[str, ...] = ()

    def __str__(self) -> str:
        claim = f"{self.headline} ({self.interval})" if self.interval else self.headline
        return " ".join((f"{claim}.", *self.notes))


@dataclass(frozen=True, slots=True)
class Metric:
    """A figure that models are ranked by: its field, its unit, which way is better, and the
    words for being the best."""

    name: str
    unit: str
    higher_is_better: bool
    is_best: str
    seemed_best: str
    topic: str

    def summary(self, result: Result) -> Summary:
        found: Summary = getattr(result, self.name)
        return found

    def text(self, value: float) -> str:
        return numbers.tps(value) if self.unit == "tokens/s" else numbers.ms(value)

    def median(self, result: Result) -> str:
        """The median as sentence, card, chart and table show it: a speed with the digits that
        its interval justifies."""
        summary = self.summary(result)
        if self.unit == "tokens/s":
            return numbers.measured(summary.p50, summary.ci95)
        return numbers.ms(summary.p50)

    def said(self, result: Result) -> str:
        """The median with its unit."""
        return f"{self.median(result)}{numbers.NARROW}{self.unit}"

    def best_first(self, results: Sequence[Result]) -> list[Result]:
        """The results that have the figure, best median first."""
        having = [result for result in results if self.summary(result).n]
        return sorted(
            having, key=lambda r: self.summary(r).p50 or 0.0, reverse=self.higher_is_better
        )

    def against(self, best: Result, rest: Sequence[Result]) -> list[Comparison]:
        """`best` compared with each of the others, Holm-adjusted."""
        return adjusted(
            [
                versus(best, other, self.name, higher_is_better=self.higher_is_better)
                for other in rest
            ]
        )


SPEED = Metric(
    "output_tps", "tokens/s", True, "is the fastest", "was measured fastest", "output speed"
)
FIRST_TOKEN = Metric(
    "ttft_ms", "ms", False, "answers first", "was measured to answer first", "the first token"
)


def times(versus: Comparison, other: str, metric: Metric) -> str:
    """ ", 2.1 times slow-large"; empty where there is no ratio."""
    if not versus.ratio:
        return ""
    if metric.higher_is_better:
        return f", {numbers.fixed(versus.ratio, 1)} times {other}"
    return f", {numbers.fixed(1 / versus.ratio, 1)} times earlier than {other}"


def ratio_interval(versus: Comparison) -> str:
    low, high = versus.ratio_ci
    if low is None or high is None:
        return ""
    if not versus.higher_is_better:
        low, high = 1 / high, 1 / low
    decimals = 1 if high - low >= 0.15 else 2
    return f"{PERCENT95} {numbers.span(low, high, lambda end: numbers.fixed(end, decimals))}"


def difference(versus: Comparison, metric: Metric) -> str:
    """ "difference 4 ms, interval −9 to 17"; the better side's lead is positive."""
    if versus.difference is None:
        return ""
    sign = 1 if metric.higher_is_better else -1
    low, high = versus.difference_ci
    said = f"difference {metric.text(sign * versus.difference)}{numbers.NARROW}{metric.unit}"
    if low is None or high is None:
        return said
    low, high = sorted((sign * low, sign * high))
    return f"{said}, interval {numbers.span(low, high)}"


def value_interval(value: float | None, interval: Interval) -> str:
    if interval[0] is None:
        return ""
    return f"{PERCENT95} {numbers.measured_span(value, interval)}"


def name(result: Result, among: Sequence[Result]) -> str:
    """The label, with the provider where another model has the same."""
    same = {other.provider for other in among if other.label == result.label}
    return result.label if len(same) < 2 else f"{result.label} ({result.provider_label})"


def names(chosen: Sequence[Result], among: Sequence[Result]) -> str:
    """ "a", "a and b", "a, b and c"."""
    said = list(dict.fromkeys(name(result, among) for result in chosen))
    return said[0] if len(said) == 1 else f"{', '.join(said[:-1])} and {said[-1]}"


def troubles(errors: Mapping[str, int]) -> list[str]:
    """ "2 server errors", "1 cut off": the most frequent kind first."""
    frequent = sorted(errors.items(), key=lambda item: -item[1])
    return [
        f"{numbers.count(number)} {TROUBLES.get(kind, (kind, kind))[number != 1]}"
        for kind, number in frequent
    ]


def pressed(result: Result) -> str:
    """ "1 stream", "32 streams", "12.5 requests/s"; empty for a sequential result."""
    if result.rate is not None:
        return f"{result.rate:g} {'request' if result.rate == 1 else 'requests'}/s"
    if not result.level:
        return ""
    return (
        f"{numbers.count(result.concurrency)} {'stream' if result.concurrency == 1 else 'streams'}"
    )
