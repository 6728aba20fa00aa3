"""Objects that list the allowed values of each of their keys."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from engine.tools.matchers.base import Fit, Similarity, kind_of, same, shown_any
from engine.tools.suites import Allowed


def fit(_match: Allowed, values: Sequence[Any], found: Any, _ask: Similarity | None) -> Fit:
    if any(permits(value, found) for value in values):
        return Fit(True, "Each key holds one of its allowed values.")
    if values and kind_of(found) not in {kind_of(value) for value in values}:
        return Fit(False, f"Must be a {kind_of(values[0])}, not a {kind_of(found)}.")
    return Fit(False, f"Each key must hold one of its values in {shown_any(values)}.")


def permits(expected: Any, found: Any) -> bool:
    """Whether the value is the expected one, or one that its lists of allowed values permit."""
    if isinstance(expected, dict) and isinstance(found, dict):
        return _each_key(expected, found) or same(expected, found)
    if isinstance(expected, list | tuple) and isinstance(found, list | tuple):
        return len(expected) == len(found) and all(map(permits, expected, found))
    return same(expected, found)


def _each_key(expected: dict[str, Any], found: dict[str, Any]) -> bool:
    if not found.keys() <= expected.keys():
        return False
    return all(
        isinstance(choice, list | tuple)
        and (any(permits(value, found[key]) for value in choice) if key in found else "" in choice)
        for key, choice in expected.items()
    )
