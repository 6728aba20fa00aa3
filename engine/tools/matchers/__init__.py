"""Matchers: how a value that was found is held against the values that are allowed.

One module a kind; its `fit(match, values, found, similarity)` says whether the value fits
and, in one sentence, by which rule. Nothing a user wrote is run, and nothing hangs.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from engine.tools.matchers import (
    allowed,
    contains,
    date,
    exact,
    fuzzy,
    lists,
    numeric,
    one_of,
    regex,
    semantic,
    sets,
    subset,
)
from engine.tools.matchers.base import Fit, NoSimilarity, Similarity
from engine.tools.suites import Matcher

__all__ = ["MATCHERS", "NEED_NO_VALUES", "Fit", "NoSimilarity", "Similarity", "fit"]

Fitter = Callable[[Any, Sequence[Any], Any, Similarity | None], Fit]

MATCHERS: dict[str, Fitter] = {
    "exact": exact.fit,
    "one_of": one_of.fit,
    "fuzzy": fuzzy.fit,
    "contains": contains.fit,
    "regex": regex.fit,
    "numeric": numeric.fit,
    "date": date.fit,
    "set": sets.fit,
    "list": lists.fit,
    "subset": subset.fit,
    "allowed": allowed.fit,
    "semantic": semantic.fit,
}
# Kinds that say themselves what fits.
NEED_NO_VALUES = frozenset({"regex", "one_of"})


def fit(
    match: Matcher, values: Sequence[Any], found: Any, similarity: Similarity | None = None
) -> Fit:
    """Whether `found` is one of `values` as `match` compares, and the rule that decided.

    `similarity` gives two texts a number from 0 to 1 (semantic matchers only; NoSimilarity
    without it).
    """
    return MATCHERS[match.kind](match, values, found, similarity)
