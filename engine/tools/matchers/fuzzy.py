"""Nearly the same words: rapidfuzz's token-set ratio."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from engine.tools.matchers.base import Fit, Similarity, shown
from engine.tools.suites import Fuzzy


def fit(match: Fuzzy, values: Sequence[Any], found: Any, _ask: Similarity | None) -> Fit:
    from rapidfuzz.fuzz import token_set_ratio

    texts = [value for value in values if isinstance(value, str)]
    if not isinstance(found, str) or not texts:
        return Fit(False, "Only texts can be similar.")
    ratio, best = max((token_set_ratio(text, found) / 100, text) for text in texts)
    sign = "at least" if ratio >= match.threshold else "below"
    rule = f"{ratio:.2f} similar to {shown(best)}, {sign} {match.threshold:g}."
    return Fit(ratio >= match.threshold, rule)
