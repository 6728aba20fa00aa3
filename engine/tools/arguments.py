"""Arguments as a model wrote them: text that should be a JSON object."""

from __future__ import annotations

import json
import math
import re
from typing import Any, NoReturn

# Deeper nesting is no argument of a tool, and would overrun whoever walks it.
DEEPEST = 64
_MARKS = re.compile(r'"(?:[^"\\]|\\.)*"|[\[\]{}]', re.DOTALL)


def read_arguments(raw: str) -> dict[str, Any] | None:
    """The object in `raw`; an empty text is an empty object, as many providers send it. None
    for whatever else: broken JSON, another type, a number JSON has not (NaN, 1e999)."""
    if not raw.strip():
        return {}
    found = read_json(raw)
    return found if isinstance(found, dict) else None


def read_json(raw: str) -> Any:
    """Strict JSON; None when it is not, or nested too deeply (JSON's own null reads the same)."""
    if raw.count("[") + raw.count("{") > DEEPEST and _depth(raw) > DEEPEST:
        return None
    try:
        return json.loads(raw, parse_constant=_refuse, parse_float=_finite)
    except (ValueError, RecursionError):
        return None


def _refuse(word: str) -> NoReturn:
    raise ValueError(f"{word} is not JSON")


def _finite(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(f"{text} is out of range")
    return value


def _depth(raw: str) -> int:
    """How deeply `raw` is nested; brackets in its texts do not count."""
    deepest = depth = 0
    for mark in _MARKS.findall(raw):
        if mark in ("[", "{"):
            depth += 1
            deepest = max(deepest, depth)
        elif mark in ("]", "}"):
            depth -= 1
    return deepest
