"""Comparing two results: by pairs of the same prompt where there are enough of them."""

from __future__ import annotations

from engine.report.result import Result
from engine.stats import Comparison, compare

# With fewer pairs the signed-rank test could not show any difference at 5 %.
LEAST_PAIRS = 6


def versus(a: Result, b: Result, metric: str, *, higher_is_better: bool) -> Comparison:
    """`a` compared with `b`. Results of the same set of prompts are compared prompt by prompt
    (a prompt that was asked several times by its mean), all others as two groups."""
    pairs = _pairs(a, b, metric)
    if len(pairs) >= LEAST_PAIRS:
        mine, theirs = zip(*pairs, strict=True)
        return compare(mine, theirs, higher_is_better=higher_is_better, paired=True)
    return compare(a.values(metric), b.values(metric), higher_is_better=higher_is_better)


def _pairs(a: Result, b: Result, metric: str) -> list[tuple[float, float]]:
    if not a.prompts or a.prompts != b.prompts:
        return []
    mine, theirs = _by_prompt(a, metric), _by_prompt(b, metric)
    return [(mine[index], theirs[index]) for index in sorted(mine.keys() & theirs.keys())]


def _by_prompt(result: Result, metric: str) -> dict[int, float]:
    values: dict[int, list[float]] = {}
    for sample in result.ok:
        value = getattr(sample, metric)
        if sample.prompt_index is not None and value is not None:
            values.setdefault(sample.prompt_index, []).append(value)
    return {index: sum(found) / len(found) for index, found in values.items()}
