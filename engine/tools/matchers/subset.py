"""An object that holds at least what is expected, at every depth."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from engine.tools.matchers.base import Fit, Similarity, same, shown, shown_any
from engine.tools.suites import Subset


def fit(_match: Subset, values: Sequence[Any], found: Any, _ask: Similarity | None) -> Fit:
    for value in values:
        if holds(found, value):
            return Fit(True, f"Holds at least {shown(value)}.")
    return Fit(False, f"Must hold at least {shown_any(values)}.")


def holds(found: Any, expected: Any) -> bool:
    """Whether `found` has all of `expected`; lists have the same length, item by item."""
    if isinstance(expected, dict):
        return isinstance(found, dict) and all(
            key in found and holds(found[key], value) for key, value in expected.items()
        )
    if isinstance(expected, list | tuple):
        return (
            isinstance(found, list | tuple)
            and len(found) == len(expected)
            and all(holds(a, b) for a, b in zip(found, expected, strict=True))
        )
    return same(expected, found)
