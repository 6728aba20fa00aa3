"""Matchers as a form shows them: a kind, and its settings in one line of text.

The setting that a kind is about stands alone (`0.9` for fuzzy, `\\d{4}` for regex); where more
is set, or something else, all of it stands there as JSON, so that nothing is lost.
"""

from __future__ import annotations

import json
from typing import Any

from engine.tools.suites import (
    Allowed,
    Contains,
    Date,
    Exact,
    Fuzzy,
    ListOf,
    Numeric,
    OneOf,
    Part,
    Regex,
    Semantic,
    SetOf,
    Subset,
)

_KINDS: dict[str, tuple[type[Part], str, str]] = {
    "exact": (Exact, "", "exactly equal"),
    "one_of": (OneOf, "values", "one of these"),
    "fuzzy": (Fuzzy, "threshold", "similar text"),
    "contains": (Contains, "fold_case", "contains the text"),
    "regex": (Regex, "pattern", "matches a pattern"),
    "numeric": (Numeric, "absolute", "number within"),
    "date": (Date, "", "the same instant"),
    "set": (SetOf, "", "same elements, any order"),
    "list": (ListOf, "", "same elements, same order"),
    "subset": (Subset, "", "object that holds at least"),
    "allowed": (Allowed, "", "keys with allowed values"),
    "semantic": (Semantic, "threshold", "the same meaning"),
}
OPTIONS = [(kind, label) for kind, (_, _, label) in _KINDS.items()]
_TEXT = ("pattern",)


def shown(matcher: dict[str, Any] | None) -> tuple[str, str]:
    """Kind and setting of a stored matcher; both empty for none."""
    if not matcher:
        return "", ""
    kind = str(matcher.get("kind", ""))
    rest = {name: value for name, value in matcher.items() if name != "kind"}
    main = _KINDS[kind][1] if kind in _KINDS else ""
    if not rest:
        return kind, ""
    if set(rest) == {main}:
        value = rest[main]
        return kind, str(value) if main in _TEXT else json.dumps(value, ensure_ascii=False)
    return kind, json.dumps(rest, ensure_ascii=False)


def read(kind: str, setting: str) -> dict[str, Any] | None:
    """The matcher as the document has it, None for none. What it refuses is found when the
    suite is checked."""
    if not kind:
        return None
    main = _KINDS[kind][1] if kind in _KINDS else ""
    setting = setting.strip()
    if not setting:
        return {"kind": kind}
    value = _value(setting)
    if isinstance(value, dict):
        return {"kind": kind, **value}
    return {"kind": kind, main or "setting": setting if main in _TEXT else value}


def said(matcher: dict[str, Any] | None) -> str:
    """In words: "similar text, 0.9"."""
    kind, setting = shown(matcher)
    label = _KINDS[kind][2] if kind in _KINDS else kind
    return f"{label}, {setting}" if setting else label


def _value(text: str) -> Any:
    try:
        return json.loads(text)
    except (json.JSONDecodeError, RecursionError):
        return text
