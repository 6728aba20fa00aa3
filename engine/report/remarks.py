"""What a workload showed beside speed, in sentences: recall, and what a prefix cache answered."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from engine.report import numbers, wording
from engine.report.result import Result

# Prompts that a prefix cache answered to more than this share are said to be cached.
CACHED_FROM = 0.01


def cached_share(result: Result) -> float | None:
    """The share of the prompt tokens that a cache answered, None when it is not worth a word."""
    cached, asked = result.tokens.cached, result.tokens.input
    share = cached / asked if cached and asked else 0.0
    return share if share > CACHED_FROM else None


def remarks(results: Sequence[Result]) -> list[str]:
    """Sentences for the terminal; none for a plain run."""
    return [*_recalls(results), *_caches(results)]


def _recalls(results: Sequence[Result]) -> Iterator[str]:
    for size in sorted({result.context_tokens for result in results}):
        looked = [r for r in results if r.context_tokens == size and r.recall.n]
        said = [
            f"{wording.name(r, results)}{_level(r)} {round((r.recall.share or 0) * r.recall.n)} of "
            f"{numbers.count(r.recall.n)}"
            for r in looked
        ]
        if said:
            where = numbers.tier(size)
            yield f"Hidden fact recalled at {where} tokens of context: {', '.join(said)}."


def _caches(results: Sequence[Result]) -> Iterator[str]:
    cached = [(result, share) for result in results if (share := cached_share(result))]
    said = [
        f"{numbers.percent(share)} for {wording.name(result, results)}{_level(result)} at "
        f"{numbers.tier(result.context_tokens)} tokens"
        for result, share in cached
    ]
    if said:
        yield f"A prefix cache answered for part of the prompts: {', '.join(said)}."


def _level(result: Result) -> str:
    return f" ({wording.pressed(result)})" if result.level else ""
