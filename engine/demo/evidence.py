"""What a text holds that could be an argument, each piece used once.

Schemas come from outside: whatever does not have the expected shape counts as absent.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

_READ_CHARS = 4_000
_MOST_VALUES = 16
_DEEPEST = 4
_MOST_PROPERTIES = 200

WORD = re.compile(r"[^\W\d_]{3,}")
CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])|_")
_IDLE = frozenset(
    "and are does for from get how that the this was what when which with you".split()
)
_NUMBER = re.compile(r"(?<![\w.])-?\d+(?:\.\d+)?(?![\w-])")
QUOTED = re.compile(r"[\"“'‘]([^\"”'’]{1,200})[\"”'’](?!\w)")
_NAME = re.compile(r"(?<=[^.?!\n] )[A-Z][\w-]+(?: [A-Z][\w-]+)*")
_PAIR = re.compile(r"(\d+) ([a-z]+(?:[ -][a-z]+){0,2}?)(?=,|;|\.| and\b| for\b| to\b|$)")
_DAY = r"\d{4}-\d\d-\d\d"
# What a parameter's name or format asks for, the narrowest first.
_SHAPES = {
    "email": re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+"),
    "date-time": re.compile(rf"{_DAY}(?:T| at | )\d{{1,2}}:\d\d"),
    "date": re.compile(_DAY),
    "time": re.compile(r"\d{1,2}:\d\d"),
    "url": re.compile(r"https?://[^\s\"'<>]+"),
    "currency": re.compile(r"\b[A-Z]{3}\b"),
    "_id": re.compile(r"\b[A-Z]{1,4}-?\d{2,}\b"),
}
# Shapes that nobody guesses: where one is due and not there, a careful reader asks back.
_NOT_GUESSED = frozenset({"email", "date-time", "date", "_id"})
# Words of parameters that are told by a small word in front.
_PLACED = {
    "from": ("origin", "source", "departure"),
    "to": ("destination", "target", "recipient"),
    "in": ("city", "town", "place", "location"),
    "for": ("guest", "customer"),
}


def stems(text: str) -> set[str]:
    """The words that say something, without their endings."""
    words = (word.lower() for word in WORD.findall(text))
    return {
        re.sub(r"(ies|es|s|ing|ed|e)$", "", word) or word for word in words if word not in _IDLE
    }


class Reader:
    """Fills schemas from a `text`; `known` holds what tools answered before, by field.

    `missing` names required values of a kind nobody guesses that are nowhere to be found.
    """

    def __init__(self, text: str, known: Mapping[str, Any] | None = None) -> None:
        self._text = text[-_READ_CHARS:]
        self._known = known or {}
        bare = self._text
        for pattern in (*_SHAPES.values(), QUOTED):
            bare = pattern.sub(" ", bare)
        self._bare = bare
        self._numbers = [float(n) for n in _NUMBER.findall(bare)][:_MOST_VALUES]
        names = _NAME.findall(QUOTED.sub(" ", self._text))
        self._texts = (QUOTED.findall(self._text) + names)[:_MOST_VALUES]
        self._used: set[tuple[int, int]] = set()
        self.missing: list[str] = []

    def fill(self, schema: dict[str, Any], depth: int = 0) -> dict[str, Any]:
        """Values for the required properties and for others that the text tells, in the
        schema's order."""
        required = schema.get("required")
        required = required if isinstance(required, list) else []
        if depth > _DEEPEST:
            return {}
        listed = list(part_of(schema.get("properties")).items())[:_MOST_PROPERTIES]
        parts = {name: part_of(part) for name, part in listed}
        told = {name: self._told(name, part) for name, part in parts.items()}
        filled = {}
        for name, part in parts.items():
            if told[name] is not None:
                filled[name] = told[name]
            elif name in required:
                filled[name] = self._value(name, part, depth)
        for name, part in parts.items():
            shape = _shape(name, part) if name not in filled and kind_of(part) == "string" else None
            if shape and (found := self._shaped(shape)) is not None:
                filled[name] = found
        return {name: filled[name] for name in parts if name in filled}

    # --- what the text tells of a parameter by itself ------------------------------------

    def _told(self, name: str, schema: dict[str, Any]) -> Any:
        """The value that stands beside the parameter's name, or None."""
        spoken = CAMEL.sub(" ", name)
        said = re.search(rf"\b(?:{re.escape(name)}|{re.escape(spoken)})(?: is|:| =|=) ", self._text)
        if said:
            return _literal(self._text[said.end() :])
        kind = kind_of(schema)
        if kind == "boolean":
            return self._switched(spoken)
        if kind in ("integer", "number"):
            return self._counted(spoken, whole=kind == "integer")
        choices = schema.get("enum")
        if isinstance(choices, list):
            return next((c for c in choices if isinstance(c, str) and self._says(c)), None)
        items = part_of(schema.get("items"))
        if kind == "array" and isinstance(items.get("enum"), list):
            return [c for c in items["enum"] if self._says(str(c))] or None
        return self._quoted_after(spoken) if kind == "string" else None

    def _says(self, word: str) -> bool:
        spoken = re.escape(word).replace("_", "[ _-]")
        return re.search(rf"(?i)\b{spoken}s?\b", self._text) is not None

    def _switched(self, spoken: str) -> bool | None:
        """Whether the word for a switch is in the text, and not after "no" or "without"."""
        for word in WORD.findall(self._bare):
            if stems(word) & stems(spoken):
                before = rf"(?i)\b(?:no|not|without)\b[^.;,]{{0,20}}{re.escape(word)}"
                return re.search(before, self._bare) is None
        return None

    def _counted(self, spoken: str, *, whole: bool) -> float | None:
        """The number next to a word of the parameter's name."""
        wanted = stems(spoken)
        pattern = re.compile(rf"({_NUMBER.pattern})[ -]([^\W\d_]{{3,}})")
        turned = re.compile(rf"([^\W\d_]{{3,}}) (?:of |to |at |by )?({_NUMBER.pattern})")
        found = [(m[1], m[2]) for m in pattern.finditer(self._bare)]
        found += [(m[2], m[1]) for m in turned.finditer(self._bare)]
        for digits, word in found:
            number = float(digits)
            fits = number in self._numbers and (not whole or number.is_integer())
            if fits and stems(word) & wanted:
                self._numbers.remove(number)
                return _plain(number)
        return None

    def _quoted_after(self, spoken: str) -> str | None:
        for word in spoken.split():
            said = re.search(
                rf"(?i)\b{re.escape(word)}\w*[ :]+(?:\w+ )?{QUOTED.pattern}", self._text
            )
            if said and said[1] in self._texts and len(word) > 2:
                self._texts.remove(said[1])
                return said[1]
        return None

    # --- what fits a required parameter ---------------------------------------------------

    def _value(self, name: str, schema: dict[str, Any], depth: int) -> Any:
        choices = schema.get("enum")
        if isinstance(choices, list) and choices:
            said = self._text.lower()
            named = (c for c in choices if str(c).lower() in said)
            return next(named, schema.get("default", choices[0]))
        kind = kind_of(schema)
        if kind in ("integer", "number"):
            return self._number(name, schema, whole=kind == "integer")
        if kind == "boolean":
            return schema.get("default") is not False
        if kind == "object":
            return self.fill(schema, depth + 1)
        if kind == "array":
            return self._several(name, part_of(schema.get("items")), depth + 1)
        return self._string(name, schema)

    def _number(self, name: str, schema: dict[str, Any], *, whole: bool) -> float:
        fits = [n for n in self._numbers if not whole or n.is_integer()]
        if fits:
            self._numbers.remove(fits[0])
            return _plain(fits[0])
        known = self._known.get(name)
        if isinstance(known, int | float):
            return known
        spare = schema.get("default", schema.get("minimum", 1))
        return spare if isinstance(spare, int | float) else 1

    def _several(self, name: str, schema: dict[str, Any], depth: int) -> list[Any]:
        if depth > _DEEPEST:
            return []
        if kind_of(schema) == "object":
            return self._pairs(schema) or [self.fill(schema, depth)]
        shape = _shape(name, schema)
        if shape and (found := _SHAPES[shape].findall(self._text)):
            return list(found[:_MOST_VALUES])
        evidence = self._numbers if kind_of(schema) in ("integer", "number") else self._texts
        return [self._value(name, schema, depth) for _ in range(max(1, len(evidence)))]

    def _pairs(self, schema: dict[str, Any]) -> list[dict[str, Any]]:
        """ "12 bath towels and 6 pillows", where items have a number and a name."""
        parts = part_of(schema.get("properties"))
        kinds = {kind_of(part_of(part)): name for name, part in parts.items()}
        number = kinds.get("integer", kinds.get("number"))
        text = kinds.get("string")
        if number is None or text is None or len(parts) != 2:
            return []
        found = [(int(m[1]), m[2]) for m in _PAIR.finditer(self._bare)]
        return [{name: what if name == text else count for name in parts} for count, what in found]

    def _string(self, name: str, schema: dict[str, Any]) -> str:
        shape = _shape(name, schema)
        if shape:
            found = self._shaped(shape)
            if found is not None:
                return found
        known = self._known.get(name)
        if shape in _NOT_GUESSED:
            if known is None:
                self.missing.append(name)
            return str(known or "unknown")
        placed = self._placed(name)
        if placed is not None:
            return placed
        if isinstance(known, str):
            return known
        if self._texts:
            return str(self._texts.pop(0))
        words = [word for word in WORD.findall(self._text) if word.lower() not in _IDLE]
        return words[-1] if words else "unknown"

    def _shaped(self, shape: str) -> str | None:
        """The first piece of a shape that was not taken yet."""
        for found in _SHAPES[shape].finditer(self._text):
            if not any(start < found.end() and found.start() < end for start, end in self._used):
                self._used.add(found.span())
                if shape != "date-time":
                    return found[0]
                return f"{re.sub(' at | ', 'T', found[0])}:00Z"
        return None

    def _placed(self, name: str) -> str | None:
        words = set(CAMEL.sub(" ", name).lower().split())
        for small, names in _PLACED.items():
            if words & {small, *names}:
                said = re.search(rf"\b{small} ([A-Z][\w-]+(?: [A-Z][\w-]+)*)", self._text)
                if said and said[1] in self._texts:
                    self._texts.remove(said[1])
                    return said[1]
        return None


def part_of(value: Any) -> dict[str, Any]:
    """A part of a schema, {} where it has another shape."""
    return value if isinstance(value, dict) else {}


def kind_of(schema: dict[str, Any]) -> str:
    """The type, "string" where none is named."""
    kinds = schema.get("type")
    if isinstance(kinds, list):
        kinds = next((kind for kind in kinds if kind != "null"), None)
    return kinds if isinstance(kinds, str) else "string"


def _shape(name: str, schema: dict[str, Any]) -> str | None:
    hint = f"{name} {schema.get('format', '')}".lower()
    return next((shape for shape in _SHAPES if shape in hint), None)


def _plain(number: float) -> float:
    return int(number) if number.is_integer() else number


def _literal(text: str) -> Any:
    """The JSON value that a text begins with, or its words up to a comma."""
    try:
        value, _ = json.JSONDecoder().raw_decode(text)
    except (ValueError, RecursionError):
        words = re.match(r"[^,.;\n]{1,200}", text)
        return words[0].strip() if words else None
    return value
