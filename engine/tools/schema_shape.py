"""Whether a schema is one, said quickly: what jsonschema's own check of a schema takes a
thousand times as long to say.

A schema is sure to be sound when every word in it has the shape that JSON Schema 2020-12 asks
for. Of any other nothing is said here, and the whole check finds out what is wrong with it.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

DEPTH_MAX = 100
_TYPES = frozenset(("array", "boolean", "integer", "null", "number", "object", "string"))
Shape = Callable[[Any, int], bool]


def surely_sound(schema: Any, depth: int = 0) -> bool:
    """Whether the schema, and every schema in it, is well formed beyond doubt."""
    if isinstance(schema, bool):
        return True
    if not isinstance(schema, dict) or depth > DEPTH_MAX:
        return False
    for word, value in schema.items():
        shape = _SHAPES.get(word)
        if shape is None:
            # A word that is none of JSON Schema's is a note; those of rare use are left to
            # the whole check.
            if word in _RARE:
                return False
        elif not shape(value, depth + 1):
            return False
    return True


def _text(value: Any, _depth: int) -> bool:
    return isinstance(value, str)


def _flag(value: Any, _depth: int) -> bool:
    return isinstance(value, bool)


def _number(value: Any, _depth: int) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _above_zero(value: Any, depth: int) -> bool:
    return _number(value, depth) and value > 0


def _count(value: Any, _depth: int) -> bool:
    return type(value) is int and value >= 0


def _list(value: Any, _depth: int) -> bool:
    return isinstance(value, list)


def _anything(_value: Any, _depth: int) -> bool:
    return True


def _names(value: Any, _depth: int) -> bool:
    return (
        isinstance(value, list)
        and all(isinstance(item, str) for item in value)
        and len(set(value)) == len(value)
    )


def _type(value: Any, depth: int) -> bool:
    if isinstance(value, str):
        return value in _TYPES
    return bool(value) and _names(value, depth) and _TYPES.issuperset(value)


def _pattern(value: Any, _depth: int) -> bool:
    """jsonschema holds patterns against Python's syntax."""
    try:
        return isinstance(value, str) and bool(re.compile(value))
    except (re.error, RecursionError, OverflowError):
        return False


def _address(value: Any, _depth: int) -> bool:
    return isinstance(value, str) and _ADDRESS.fullmatch(value) is not None


def _reference(value: Any, _depth: int) -> bool:
    return isinstance(value, str) and _REFERENCE.fullmatch(value) is not None


def _schemas(value: Any, depth: int) -> bool:
    return isinstance(value, list) and bool(value) and all(surely_sound(v, depth) for v in value)


def _named(value: Any, depth: int) -> bool:
    return isinstance(value, dict) and all(surely_sound(v, depth) for v in value.values())


_ADDRESS = re.compile(r"https?://[a-z0-9./-]+#?")
_REFERENCE = re.compile(r"#(/[A-Za-z0-9$._~/-]*)?")
_SHAPES: dict[str, Shape] = {
    "type": _type,
    "$ref": _reference,
    "$schema": _address,
    "pattern": _pattern,
    "required": _names,
    "multipleOf": _above_zero,
    **dict.fromkeys(("$comment", "description", "title", "format"), _text),
    **dict.fromkeys(("uniqueItems", "deprecated", "readOnly", "writeOnly"), _flag),
    **dict.fromkeys(("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"), _number),
    **dict.fromkeys(("minLength", "maxLength", "minItems", "maxItems"), _count),
    **dict.fromkeys(("minProperties", "maxProperties", "minContains", "maxContains"), _count),
    **dict.fromkeys(("enum", "examples"), _list),
    **dict.fromkeys(("const", "default"), _anything),
    **dict.fromkeys(("properties", "$defs", "definitions", "dependentSchemas"), _named),
    **dict.fromkeys(("allOf", "anyOf", "oneOf", "prefixItems"), _schemas),
    **dict.fromkeys(
        ("additionalProperties", "items", "contains", "propertyNames", "not", "if", "then"),
        surely_sound,
    ),
    **dict.fromkeys(("else", "unevaluatedItems", "unevaluatedProperties"), surely_sound),
}
_RARE = frozenset(
    "$anchor $dynamicAnchor $dynamicRef $id $vocabulary contentEncoding contentMediaType "
    "contentSchema dependencies dependentRequired patternProperties".split()
)
