"""A list with the same elements in any order, each as often."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from engine.tools.matchers.base import Fit, Similarity, key_of, kind_of, shown_any
from engine.tools.suites import SetOf


def fit(_match: SetOf, values: Sequence[Any], found: Any, _ask: Similarity | None) -> Fit:
    if not isinstance(found, list | tuple):
        return Fit(False, f"Must be a list, not a {kind_of(found)}.")
    elements = Counter(key_of(item) for item in found)
    for value in values:
        if isinstance(value, list | tuple) and Counter(map(key_of, value)) == elements:
            return Fit(True, "The same elements, in any order.")
    return Fit(False, f"Must hold the elements of {shown_any(values)}, in any order.")
