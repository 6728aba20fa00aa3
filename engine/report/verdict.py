"""The answer that stands first: which model is fastest, by how much, and how sure that is."""

from __future__ import annotations

from collections.abc import Sequence

from engine.report import load_verdict, numbers, wording
from engine.report.result import Result
from engine.report.wording import FIRST_TOKEN, SPEED, Metric, Verdict
from engine.stats import NOT_DISTINGUISHABLE, Comparison, runs_to_compare


def verdict(results: Sequence[Result], trouble: str = "") -> Verdict:
    """The verdict on a benchmark, on its smallest context size that has an answer.

    Needs no complete run: what is measured so far is judged. Results timed by a library's
    own clock are not ranked with those timed on the wire. `trouble` is the first thing that
    went wrong, for results that carry no samples.
    """
    tested = [result for result in results if result.requests.total]
    if not tested:
        return Verdict("Nothing is measured yet")
    front = front_tier(tested)
    if not front:
        return _all_failed(tested, trouble)
    if loaded := load_verdict.verdict(tested):
        return Verdict(loaded.headline, loaded.interval, (*loaded.notes, *_silent(tested)))
    speeds, starts = SPEED.best_first(front), FIRST_TOKEN.best_first(front)
    said = _ranking(speeds, SPEED) if speeds else _ranking(starts, FIRST_TOKEN)
    notes = _first_token(starts) if speeds else ()
    headline = _with_tier(said.headline, front[0], results)
    return Verdict(headline, said.interval, (*said.notes, *notes, *_silent(tested)))


def front_tier(results: Sequence[Result]) -> list[Result]:
    """What is ranked: the answered results of the smallest context size and each model's
    lowest load level, without those timed by a library when others were timed on the wire."""
    answered = list(
        {
            (result.provider, result.model, result.context_tokens): result
            for result in reversed(results)
            if result.ttft_ms.n
        }.values()
    )[::-1]
    smallest = min((result.context_tokens for result in answered), default=None)
    front = [result for result in answered if result.context_tokens == smallest]
    return [result for result in front if result.clock not in ("library", "mixed")] or front


def _ranking(ranked: list[Result], metric: Metric) -> Verdict:
    """What may be claimed about the best, compared with each other model."""
    best, rest = ranked[0], ranked[1:]
    if not rest:
        return _alone(best, metric)
    against = metric.against(best, rest)
    name = wording.name(best, ranked)
    last = wording.times(against[-1], wording.name(rest[-1], ranked), metric)
    claim, interval = f"{metric.said(best)}{last}", wording.ratio_interval(against[-1])
    if not any(comparison.conclusive for comparison in against):
        return Verdict(f"{name} {metric.seemed_best}: {claim}", interval, (_too_few(ranked),))
    equals = [
        (result, comparison)
        for result, comparison in zip(rest, against, strict=True)
        if comparison.verdict == NOT_DISTINGUISHABLE
    ]
    if equals:
        first = equals[0][1]
        return _tie([best, *(result for result, _ in equals)], ranked, first, metric)
    return Verdict(f"{name} {metric.is_best}: {claim}", interval)


def _alone(result: Result, metric: Metric) -> Verdict:
    summary = metric.summary(result)
    interval = wording.value_interval(summary.p50, summary.ci95)
    if metric is FIRST_TOKEN:
        return Verdict(f"{result.label} answers after {metric.said(result)}", interval)
    return Verdict(f"{result.label} writes {metric.said(result)}", interval)


def _tie(equals: list[Result], ranked: list[Result], next_: Comparison, metric: Metric) -> Verdict:
    values = ", ".join(f"{wording.name(r, ranked)} {metric.said(r)}" for r in equals)
    headline = f"{wording.names(equals, ranked)} lead and are not distinguishable: {values}"
    if len(equals) == len(ranked):
        headline = f"No difference in {metric.topic} can be shown: {values}"
    return Verdict(headline, wording.difference(next_, metric))


def _first_token(ranked: list[Result]) -> tuple[str, ...]:
    """One sentence on who answers first, and whether that is more than chance."""
    best, rest = ranked[0], ranked[1:]
    if not rest:
        return (f"Its first token comes after {FIRST_TOKEN.said(best)}.",)
    versus = FIRST_TOKEN.against(best, rest)[0]
    first, second = wording.name(best, ranked), wording.name(rest[0], ranked)
    details = wording.difference(versus, FIRST_TOKEN)
    if not versus.conclusive:
        after, later = FIRST_TOKEN.said(best), FIRST_TOKEN.said(rest[0])
        sentence = f"First token: {first} after {after}, {second} after {later}."
    elif versus.verdict == NOT_DISTINGUISHABLE:
        sentence = (
            f"{first} starts as early as {second}; the two are not distinguishable on first "
            f"token ({details})."
        )
    else:
        sentence = (
            f"{first} answers first, after {FIRST_TOKEN.said(best)}; {second} is next ({details})."
        )
    return (sentence,)


def _too_few(ranked: Sequence[Result]) -> str:
    fewest = min(result.requests.ok for result in ranked)
    answers = "1 answer" if fewest == 1 else f"{fewest} answers"
    enough = runs_to_compare(len(ranked) - 1)
    return f"{answers} a model cannot rule out chance; {enough} or more can."


def _silent(tested: Sequence[Result]) -> tuple[str, ...]:
    """Who gave no complete answer at all."""
    heard = {(r.provider, r.model) for r in tested if r.requests.ok}
    silent = [result for result in tested if (result.provider, result.model) not in heard]
    return (f"{wording.names(silent, tested)} gave no complete answer.",) if silent else ()


def _all_failed(tested: Sequence[Result], trouble: str) -> Verdict:
    total = sum(result.requests.total for result in tested)
    reasons = (sample.message for result in tested for sample in result.samples)
    reason = next((text for text in reasons if text), trouble).rstrip(".")
    said = "The only request failed" if total == 1 else f"None of {total} requests succeeded"
    return Verdict(f"{said}: {reason}" if reason else said)


def _with_tier(headline: str, first: Result, results: Sequence[Result]) -> str:
    if len({result.context_tokens for result in results}) < 2:
        return headline
    if headline.startswith("No "):
        headline = f"no {headline[3:]}"
    if first.context_tokens == 0:
        return f"Without added context, {headline}"
    return f"At {numbers.tier(first.context_tokens)} tokens of context, {headline}"
