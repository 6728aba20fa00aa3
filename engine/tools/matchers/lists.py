"""A list with the same elements in the same order."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from engine.tools.matchers.base import Fit, Similarity, kind_of, same, shown_any
from engine.tools.suites import ListOf


def fit(_match: ListOf, values: Sequence[Any], found: Any, _ask: Similarity | None) -> Fit:
    if not isinstance(found, list | tuple):
        return Fit(False, f"Must be a list, not a {kind_of(found)}.")
    if any(same(value, found) for value in values):
        return Fit(True, "The same elements in the same order.")
    return Fit(False, f"Must be {shown_any(values)}, in that order.")
