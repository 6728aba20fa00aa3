"""A number within a tolerance."""

from __future__ import annotations

import math
import sys
from collections.abc import Sequence
from typing import Any

from engine.tools.matchers.base import Fit, Similarity, kind_of, shown_any
from engine.tools.suites import Numeric

_ROUNDING = 4 * sys.float_info.epsilon


def fit(match: Numeric, values: Sequence[Any], found: Any, _ask: Similarity | None) -> Fit:
    if kind_of(found) != "number":
        return Fit(False, f"Must be a number, not a {kind_of(found)}.")
    for value in values:
        if kind_of(value) == "number" and _near(match, value, found):
            return Fit(True, f"Equals {value}{_tolerance(match)}.")
    return Fit(False, f"Must equal {shown_any(values)}{_tolerance(match)}.")


def _near(match: Numeric, value: float, found: float) -> bool:
    if value == found:
        return True
    try:
        allowed = _allowed(match, value)
        # 0.4 is within 0.1 of 0.3 for whoever writes it, though its double is not.
        slack = _ROUNDING * max(abs(value), abs(found), allowed) if allowed else 0.0
        return math.isclose(value, found, rel_tol=0, abs_tol=allowed + slack)
    except OverflowError:  # a whole number beyond all floats
        return False


def _allowed(match: Numeric, value: float) -> float:
    return max(match.absolute, match.relative * abs(value))


def _tolerance(match: Numeric) -> str:
    parts = [f"{match.absolute:g}"] if match.absolute else []
    parts += [f"{match.relative:.3g} of it"] if match.relative else []
    return f" within {' or '.join(parts)}" if parts else ""
