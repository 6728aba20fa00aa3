"""The answer of a load run: how much is served, at which level, and whether more load pays."""

from __future__ import annotations

from collections.abc import Sequence

from engine.report import numbers, wording
from engine.report.knee import Sweep, sweeps, widest
from engine.report.result import Result
from engine.report.wording import FIRST_TOKEN, PERCENT95, Verdict
from engine.speed.levels import SATURATION_GAIN

# Requests that keep to the limits at this share or more are said to keep to them.
KEPT = 0.95
NAMED_MOST = 3
GAIN = numbers.percent(SATURATION_GAIN)


def verdict(results: Sequence[Result]) -> Verdict | None:
    """The verdict on load levels; None when no level has an answer."""
    ranked = widest(sweeps(results))
    if not ranked:
        return None
    best = ranked[0]
    names = _names(ranked)
    headline = f"{names[0]} serves {_reached(best.best)}"
    if len(ranked) > 1:
        headline = f"{names[0]} serves the most: {_reached(best.best)}"
    if best.knee:
        what = "a higher rate adds" if best.best.rate else "more streams add"
        headline += f"; {what} less than {GAIN}"
    others = [
        f"{name}: {_reached(sweep.best)}."
        for name, sweep in zip(names[1:NAMED_MOST], ranked[1:NAMED_MOST], strict=False)
    ]
    return Verdict(
        headline,
        _interval(best.best),
        (*_failed(best.best), *_open_end(best), *_kept(best), *others),
    )


def _reached(result: Result) -> str:
    unit = f"{numbers.NARROW}tokens/s"
    first = f"first tokens after {FIRST_TOKEN.said(result)}"
    reached = numbers.number(result.system_output_tps)
    return f"{reached}{unit} at {wording.pressed(result)} with {first} (median)"


def _interval(result: Result) -> str:
    """The throughput of a level is one figure; the median beside it has an interval."""
    span = numbers.span(*result.ttft_ms.ci95, show=numbers.ms)
    if span == numbers.NONE:
        return ""
    unit = f"{numbers.NARROW}ms"
    return f"{PERCENT95} of the first token {span}{unit}, n {numbers.count(result.ttft_ms.n)}"


def _failed(result: Result) -> tuple[str, ...]:
    """Fast answers are no answer to those who got none."""
    lost = result.requests.total - result.requests.ok
    if not lost:
        return ()
    of = f"{numbers.count(lost)} of {numbers.count(result.requests.total)}"
    return (f"{of} requests failed there.",)


def _open_end(sweep: Sweep) -> tuple[str, ...]:
    if sweep.knee or len(sweep.levels) < 2:
        return ()
    highest = wording.pressed(sweep.levels[-1])
    return (f"Its throughput still grew up to {highest}, so its limit may lie higher.",)


def _kept(sweep: Sweep) -> tuple[str, ...]:
    """Up to which level the limits of a good answer are kept."""
    judged = [result for result in sweep.levels if result.goodput.share is not None]
    if not judged:
        return ()
    share = numbers.percent(KEPT)
    # Up to the first level that breaks them: a later lucky one is no promise.
    broken = next((i for i, r in enumerate(judged) if (r.goodput.share or 0) < KEPT), len(judged))
    if broken == 0:
        lowest = wording.pressed(judged[0])
        met = numbers.percent(judged[0].goodput.share)
        return (
            f"Its limits are not kept at any level: {met} of the answers at {lowest} are good.",
        )
    reached = wording.pressed(judged[broken - 1])
    return (f"{share} or more of its answers keep to the limits up to {reached}.",)


def _names(ranked: Sequence[Sweep]) -> list[str]:
    """Model names, with the context size where sweeps differ in it."""
    firsts = [sweep.first for sweep in ranked]
    sizes = len({first.context_tokens for first in firsts}) > 1
    return [
        wording.name(first, firsts)
        + (f" at {numbers.tier(first.context_tokens)} of context" if sizes else "")
        for first in firsts
    ]
