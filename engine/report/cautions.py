"""What a reader must know before comparing the figures of a report."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from engine.report import numbers, wording
from engine.report.result import Result

# Answers that differ more than this in length are not the same work.
LENGTHS_DIFFER = 0.2


def cautions(results: Sequence[Result]) -> list[str]:
    """Sentences, in order of weight; none when the figures can be read as they stand."""
    answered = [result for result in results if result.requests.ok]
    return [
        *_saturated(answered),
        *_late(answered),
        *_backlog(answered),
        *_together(answered),
        *_clocks(answered),
        *_lengths(answered),
        *_counts(answered),
    ]


def _saturated(results: Sequence[Result]) -> Iterator[str]:
    if any(result.client.saturated for result in results):
        yield (
            "The load generator was saturated: latencies contain its own delay. Measure again "
            "with less concurrency or on a faster machine."
        )


def _late(results: Sequence[Result]) -> Iterator[str]:
    """Open loops that fell behind: the endpoint's fault or the machine's, and not to be read
    off the time since a request was sent."""
    late = [r for r in results if r.rate and {"late_dispatch", "unsent"} & set(r.client.marks)]
    if late:
        names = ", ".join(dict.fromkeys(wording.pressed(result) for result in late))
        yield (
            f"Requests could not be sent when they were due at {names}. Read the times counted "
            "from when they were due: those contain the wait."
        )


def _backlog(results: Sequence[Result]) -> Iterator[str]:
    behind = [result for result in results if "backlog" in result.client.marks]
    if behind:
        names = ", ".join(dict.fromkeys(wording.pressed(result) for result in behind))
        yield (
            f"The endpoint did not serve {names}: first tokens came later and later, so the "
            "figures grow with the length of the level."
        )


def _together(results: Sequence[Result]) -> Iterator[str]:
    if any("started_together" in result.client.marks for result in results):
        yield (
            "Streams of a level started together, for want of a warm-up: their first requests "
            "came as a burst."
        )


def _clocks(results: Sequence[Result]) -> Iterator[str]:
    library = [result for result in results if result.clock in ("library", "mixed")]
    if len(library) == len(results) and library:
        yield "Timed by a library instead of on the wire: figures contain its own delay."
    elif library:
        names = wording.names(library, results)
        yield f"Timed by a library instead of on the wire, so not ranked with the others: {names}."


def _lengths(results: Sequence[Result]) -> Iterator[str]:
    """Compared within each context size, by the mean length of an ok answer."""
    for size in sorted({result.context_tokens for result in results}):
        means = {
            wording.name(result, results): result.tokens.output / result.requests.ok
            for result in results
            if result.context_tokens == size and result.tokens.output
        }
        if len(means) < 2 or max(means.values()) <= (1 + LENGTHS_DIFFER) * min(means.values()):
            continue
        short, long = min(means, key=means.__getitem__), max(means, key=means.__getitem__)
        where = f" at {numbers.tier(size)} tokens of context" if size else ""
        yield (
            f"Answers differ in length{where}: {long} wrote {means[long]:,.0f} tokens on "
            f"average, {short} {means[short]:,.0f}. Rates may depend on it, and total times do."
        )


def _counts(results: Sequence[Result]) -> Iterator[str]:
    guessed = [result for result in results if result.tokens.source in ("estimate", "chunks")]
    if guessed:
        names = wording.names(guessed, results)
        yield f"No token usage was reported, so counts and rates are estimates: {names}."
