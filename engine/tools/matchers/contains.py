"""The expected text stands somewhere in the value."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from engine.tools.matchers.base import Fit, Similarity, as_text, shown, shown_any
from engine.tools.suites import Contains


def fit(match: Contains, values: Sequence[Any], found: Any, _ask: Similarity | None) -> Fit:
    text = as_text(found)
    text = text.casefold() if match.fold_case else text
    for value in values:
        part = as_text(value)
        if (part.casefold() if match.fold_case else part) in text:
            return Fit(True, f"Contains {shown(value)}.")
    return Fit(False, f"Must contain {shown_any(values)}.")
