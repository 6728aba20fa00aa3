"""What all matchers share: equality across types, and values as text."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, NamedTuple

Similarity = Callable[[str, str], float]


class NoSimilarity(ValueError):
    """A semantic matcher without an embedding model or a judge to ask."""


class Fit(NamedTuple):
    """Whether a value fits, and the rule that decided, as one sentence."""

    fits: bool
    rule: str


def same(a: Any, b: Any, *, trim: bool = True, fold: bool = False) -> bool:
    """Equal and of the same type: numbers across int and float, a boolean is never a number,
    lists in order, objects by key; texts without outer space (`trim`) or case (`fold`)."""
    if isinstance(a, str):
        return isinstance(b, str) and (a == b or _text(a, trim, fold) == _text(b, trim, fold))
    if isinstance(a, bool) or isinstance(b, bool):
        return a is b
    if isinstance(a, int | float):
        return isinstance(b, int | float) and a == b
    if isinstance(a, list | tuple):
        return (
            isinstance(b, list | tuple)
            and len(a) == len(b)
            and all(same(x, y, trim=trim, fold=fold) for x, y in zip(a, b, strict=True))
        )
    if isinstance(a, dict):
        return (
            isinstance(b, dict)
            and a.keys() == b.keys()
            and all(same(a[key], b[key], trim=trim, fold=fold) for key in a)
        )
    return a is None and b is None


def key_of(value: Any, *, trim: bool = True) -> Any:
    """A hashable that is equal for exactly the values that `same` calls equal."""
    if isinstance(value, bool):
        return ("boolean", value)
    if isinstance(value, str):
        return ("text", value.strip() if trim else value)
    if isinstance(value, list | tuple):
        return ("list", tuple(key_of(item, trim=trim) for item in value))
    if isinstance(value, dict):
        parts = ((key, key_of(item, trim=trim)) for key, item in value.items())
        return ("object", frozenset(parts))
    return ("other", value)


def _text(text: str, trim: bool, fold: bool) -> str:
    text = text.strip() if trim else text
    return text.casefold() if fold else text


def as_text(value: Any) -> str:
    """A value as text: itself, or JSON."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def shown(value: Any, limit: int = 60) -> str:
    """A value as short JSON text, for a sentence."""
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= limit else f"{text[: limit - 1]}…"


def shown_any(values: Any) -> str:
    """Several values as a choice, for a sentence."""
    parts = [shown(value) for value in values[:4]]
    more = f" or {len(values) - 4} more" if len(values) > 4 else ""
    return (" or ".join(parts) or "nothing") + more


_KINDS = ((bool, "boolean"), (str, "text"), (int | float, "number"), (dict, "object"))


def kind_of(value: Any) -> str:
    """The JSON type of a value, in a reader's word."""
    if value is None:
        return "null"
    return next((word for types, word in _KINDS if isinstance(value, types)), "list")
