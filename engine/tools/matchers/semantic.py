"""The same meaning, as an embedding model or a judge sees it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from engine.tools.matchers.base import Fit, NoSimilarity, Similarity, as_text, same, shown
from engine.tools.suites import Semantic


def fit(match: Semantic, values: Sequence[Any], found: Any, ask: Similarity | None) -> Fit:
    if ask is None:
        raise NoSimilarity("A semantic matcher needs an embedding model or a judge model.")
    if any(same(value, found) for value in values):
        return Fit(True, "Equal.")
    text = as_text(found)
    scored = [(ask(as_text(value), text), as_text(value)) for value in values]
    if not scored:
        return Fit(False, "No value to be similar to.")
    closest, best = max(scored)
    sign = "at least" if closest >= match.threshold else "below"
    rule = f"Meaning {closest:.2f} close to {shown(best)}, {sign} {match.threshold:g}."
    return Fit(closest >= match.threshold, rule)
