"""The figures that stand on cards under the verdict."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from engine.report import numbers, wording
from engine.report.knee import sweeps, widest
from engine.report.result import Result
from engine.report.verdict import front_tier
from engine.report.wording import FIRST_TOKEN, SPEED
from engine.stats import Summary, tail


@dataclass(frozen=True, slots=True)
class Card:
    """One figure: `value` and `unit` stand large, `note` says whose it is."""

    title: str
    value: str
    unit: str = ""
    note: str = ""


def cards(results: Sequence[Result], limits: bool = False) -> list[Card]:
    """Fastest, earliest, cheapest and how the requests ended; a figure nobody has shows an
    en dash, so that the row never changes its shape while a run fills. `limits` says that a
    load run has limits of a good answer: then goodput stands in the place of the cost."""
    if any(result.level for result in results):
        return _loaded(results, limits)
    front = front_tier(results)
    return [_fastest(front), _earliest(front), _cheapest(front), _requests(results)]


def _fastest(front: Sequence[Result]) -> Card:
    title = "Fastest output"
    best = next(iter(SPEED.best_first(front)), None)
    if best is None:
        return Card(title, numbers.NONE)
    summary = best.output_tps
    interval = numbers.measured_span(summary.p50, summary.ci95)
    note = wording.name(best, front)
    if interval != numbers.NONE:
        note += f", {interval}"
    return Card(title, SPEED.median(best), "tokens/s", note)


def _earliest(front: Sequence[Result]) -> Card:
    title = "Earliest first token"
    best = next(iter(FIRST_TOKEN.best_first(front)), None)
    if best is None:
        return Card(title, numbers.NONE)
    note = f"{wording.name(best, front)}, {tail_words(best.ttft_ms)}"
    return Card(title, FIRST_TOKEN.median(best), "ms", note)


def tail_words(summary: Summary) -> str:
    """ "p95 141", or "max 141" where there are too few values for a p95."""
    name, value = tail(summary, "p95")
    return numbers.NONE if value is None else f"{name} {numbers.ms(value)}"


def _loaded(results: Sequence[Result], limits: bool) -> list[Card]:
    """The same row for load levels: what the best target reached, and at which level."""
    best = next((sweep.best for sweep in widest(sweeps(results))), None)
    throughput, first = "Most throughput", "First token there"
    slo = limits or any(result.goodput.share is not None for result in results)
    goodput = "Goodput there"
    if best is None:
        third = Card(goodput, numbers.NONE) if slo else _cheapest(front_tier(results))
        return [Card(throughput, numbers.NONE), Card(first, numbers.NONE), third,
                _requests(results)]  # fmt: skip
    note = f"{wording.name(best, results)}, {wording.pressed(best)}"
    return [
        Card(throughput, numbers.number(best.system_output_tps), "tokens/s", note),
        Card(first, FIRST_TOKEN.median(best), "ms", f"median, {tail_words(best.ttft_ms)}"),
        _goodput(goodput, best) if slo else _cheapest(front_tier(results)),
        _requests(results),
    ]


def _goodput(title: str, best: Result) -> Card:
    good = best.goodput
    interval = numbers.span(*good.ci95, show=lambda end: numbers.fixed(end * 100, 0))
    note = f"{interval}{numbers.NARROW}%, {numbers.number(good.per_s)} good requests/s"
    return Card(title, numbers.percent(good.share), "", note)


def _cheapest(front: Sequence[Result]) -> Card:
    title = "Cheapest"
    costs = [(cost, result) for result in front if (cost := cost_per_request(result)) is not None]
    if not costs:
        return Card(title, numbers.NONE, note="no price is known" if front else "")
    cost, best = min(costs, key=lambda pair: pair[0])
    return Card(title, numbers.usd(cost), note=f"{wording.name(best, front)}, per request")


def cost_per_request(result: Result) -> float | None:
    """USD for one ok request, None when the price or a count is unknown."""
    return None if result.cost_usd is None else result.cost_usd / result.requests.ok


def _requests(results: Sequence[Result]) -> Card:
    total = sum(result.requests.total for result in results)
    ok = sum(result.requests.ok for result in results)
    of = f"of {numbers.count(total)}" if total else ""
    return Card("Requests", numbers.count(ok), of, _troubles(results))


def _troubles(results: Sequence[Result]) -> str:
    """ "2 rate limited, 1 timed out, 3 retries"; "all answered" when there were none."""
    kinds: Counter[str] = Counter()
    for result in results:
        kinds.update(result.errors)
    parts = wording.troubles(kinds)
    retries = sum(result.retries for result in results)
    if retries:
        parts.append("1 retry" if retries == 1 else f"{retries} retries")
    answered = any(result.requests.ok for result in results)
    return ", ".join(parts) or ("all answered" if answered else "")
