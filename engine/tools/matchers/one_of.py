"""One of a list of values."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from engine.tools.matchers.base import Fit, Similarity
from engine.tools.matchers.exact import is_one_of
from engine.tools.suites import OneOf


def fit(match: OneOf, values: Sequence[Any], found: Any, _ask: Similarity | None) -> Fit:
    return is_one_of([*values, *match.values], found, trim=True, fold=False)
