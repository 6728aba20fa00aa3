"""The whole value matches a pattern of RE2, in time linear to its length."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from engine.tools.matchers.base import Fit, Similarity, as_text, shown
from engine.tools.patterns import BadPattern, matches_whole
from engine.tools.suites import Regex


def fit(match: Regex, _values: Sequence[Any], found: Any, _ask: Similarity | None) -> Fit:
    try:
        fits = matches_whole(match.pattern, as_text(found))
    except BadPattern as error:
        return Fit(False, f"{error}.")
    return Fit(fits, f"{'Matches' if fits else 'Must match'} {shown(match.pattern)}.")
