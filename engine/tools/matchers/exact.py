"""Equal, and of the same type."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from engine.tools.matchers.base import Fit, Similarity, kind_of, same, shown_any
from engine.tools.suites import Exact


def fit(match: Exact, values: Sequence[Any], found: Any, _ask: Similarity | None) -> Fit:
    return is_one_of(values, found, trim=match.trim, fold=match.fold_case)


def is_one_of(values: Sequence[Any], found: Any, *, trim: bool, fold: bool) -> Fit:
    """Whether the value equals one of those allowed."""
    for value in values:
        if same(value, found, trim=trim, fold=fold):
            return _EQUAL
    kinds = {kind_of(value) for value in values}
    if values and kind_of(found) not in kinds:
        expected = " or ".join(sorted(kinds))
        return Fit(False, f"Must be a {expected}, not a {kind_of(found)}.")
    return Fit(False, f"Must equal {shown_any(values)}.")


_EQUAL = Fit(True, "Equal.")
