"""One argument by the leaderboard's rules: its type, and its place among the allowed values.

Types are Python's and exact (a boolean is never an integer), and so is equality (1, 1.0 and
true are equal): that is how the public checker compares, flaws included.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

_DROPPED = dict.fromkeys(map(ord, " ,./-_*^"))
_CLEAN = str.maketrans({**_DROPPED, ord("'"): '"'})
_TYPES: dict[str, type] = {
    "string": str,
    "integer": int,
    "float": float,
    "number": float,
    "boolean": bool,
    "array": list,
    "tuple": list,
    "dict": dict,
    "object": dict,
    "any": str,
}
# None fits; else the class of the error.
Verdict = str | None


def clean(text: str) -> str:
    """Without space and , . / - _ * ^, lower case, single quotes double."""
    return text.translate(_CLEAN).lower()


def cleaned(values: Iterable[Any]) -> list[Any]:
    """Texts cleaned, other values as they are; not below the first level."""
    return [clean(value) if type(value) is str else value for value in values]


def listed(value: Any) -> Any:
    """A value as a possible answer writes it: each key of an object holds the list of what it
    may be. That is one level deep; what lies below is compared as it stands."""
    if isinstance(value, dict):
        return {key: [item] for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [listed(item) if isinstance(item, dict) else item for item in value]
    return value


class Parameter:
    """A parameter's type and allowed values, ready for many answers."""

    __slots__ = (
        "_cleaned",
        "_first",
        "_is_tuple",
        "_item",
        "_items",
        "_kind",
        "_widens",
        "allowed",
        "optional",
    )

    def __init__(self, schema: Mapping[str, Any], allowed: Sequence[Any]) -> None:
        self.allowed = list(allowed)
        self._first = _first_type(self.allowed)
        name = _type_name(schema)
        # A type that the rules do not know is whatever the first allowed value is.
        self._kind = _TYPES.get(name, self._first or str)
        self._widens, self._is_tuple = name in ("float", "number"), name == "tuple"
        self._item = self._item_type(schema) if self._kind is list else None
        self._items = [(_first_type(v), v) for v in self.allowed if type(v) is list]
        self._cleaned = self._clean_allowed()

    def _item_type(self, schema: Mapping[str, Any]) -> type | None:
        items = schema.get("items")
        name = _type_name(items) if isinstance(items, Mapping) else ""
        # JSON Schema's number is not one of these rules' types: its items are not looked at.
        return None if name == "number" else _TYPES.get(name)

    def _clean_allowed(self) -> list[Any]:
        if self._kind is str:
            return [clean(value) for value in self.allowed if type(value) is str]
        if self._kind is list:
            # "" becomes an empty list here: the checker lets [] pass where "" is allowed.
            return [cleaned(v) for v in self.allowed if isinstance(v, list | tuple | str)]
        return []

    def check(self, value: Any) -> Verdict:
        """What is wrong with a value, None when it is among those allowed."""
        kind = type(value)
        if kind is int and self._widens:
            value, kind = _as_float(value), float
        elif kind is tuple and self._is_tuple:
            value, kind = list(value), list
        if kind is self._kind:
            if self._item is not None and not self._items_fit(value):
                return "wrong_item_type"
            if self._first is None or self._first is kind:
                return self._among_cleaned(value)
        elif kind is not self._first:
            return "wrong_type"
        return None if value in self.allowed else "wrong_value"

    def _items_fit(self, value: list[Any]) -> bool:
        """One level deep, against any list that is allowed; where something else is allowed
        ("" for one), anything fits."""
        if len(self._items) < len(self.allowed):
            return True
        return any(
            all(type(item) is self._item or type(item) is first is not None for item in value)
            for first, _ in self._items
        )

    def _among_cleaned(self, value: Any) -> Verdict:
        if self._kind is str:
            return None if clean(value) in self._cleaned else "wrong_value"
        if self._kind is dict:
            return _one_of_objects(value, self.allowed)
        if self._kind is list:
            if self._item is dict:
                return _one_of_object_lists(value, self.allowed)
            return None if cleaned(value) in self._cleaned else "wrong_value"
        return None if value in self.allowed else "wrong_value"


def _type_name(schema: Mapping[str, Any]) -> str:
    """The type of a schema; of several the first that is not null."""
    name = schema.get("type")
    if isinstance(name, list):
        name = next((part for part in name if part != "null"), None)
    return name if isinstance(name, str) else ""


def _first_type(values: Sequence[Any]) -> type | None:
    return next((type(value) for value in values if value != ""), None)


def _as_float(value: int) -> Any:
    try:
        return float(value)
    except OverflowError:
        return value


def _one_of_objects(value: dict[str, Any], allowed: Sequence[Any]) -> Verdict:
    verdict: Verdict = "wrong_value"
    for truth in allowed:
        if isinstance(truth, dict):
            verdict = _object(value, truth)
            if verdict is None:
                return None
    return verdict


def _object(value: dict[str, Any], truth: dict[str, Any]) -> Verdict:
    """Each key in the truth, each value in its list; a key may miss only when "" is there."""
    for key, item in value.items():
        if key not in truth:
            return "wrong_key"
        choice = truth[key]
        if not isinstance(choice, list | tuple | str):
            return "wrong_value"
        if (clean(item) if type(item) is str else item) not in cleaned(choice):
            return "wrong_value"
    for key, choice in truth.items():
        if key not in value and not (isinstance(choice, list | tuple | str) and "" in choice):
            return "missing_key"
    return None


def _one_of_object_lists(value: list[Any], allowed: Sequence[Any]) -> Verdict:
    for truth in allowed:
        if isinstance(truth, list | tuple | str) and len(value) == len(truth):
            pairs = zip(value, truth, strict=True)
            if all(
                isinstance(item, dict) and isinstance(one, dict) and _object(item, one) is None
                for item, one in pairs
            ):
                return None
    return "wrong_value"
