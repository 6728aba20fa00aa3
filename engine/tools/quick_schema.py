"""The plain part of JSON Schema, compiled: most tools need no more, and it is ten times as
fast as the whole language. What is not plain is left to jsonschema.

A check takes a value and gives None, or a list of faults. It finds what jsonschema finds, in
the same order; the tests hold the two against each other.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

from engine.tools.formats import FORMATS, fits_format
from engine.tools.matchers.base import same
from engine.tools.patterns import found_in

DEPTH_MAX = 50


class Fault(NamedTuple):
    """A word of the schema that a value breaks; `detail` is the name a required or unknown
    property has."""

    path: tuple[str | int, ...]
    word: str
    rule: Any
    found: Any
    detail: str = ""


Faults = list[Fault] | None
Check = Callable[[Any], Faults]


class NotPlain(Exception):
    """The schema needs the whole language, or is none."""


def compiled(schema: Any) -> Check | None:
    """The schema as one check, None when it is not plain."""
    try:
        return _compile(schema, 0)
    except NotPlain:
        return None


def _compile(schema: Any, depth: int) -> Check:
    if not isinstance(schema, dict) or depth > DEPTH_MAX:
        raise NotPlain
    checks: list[Check] = []
    for word, rule in schema.items():
        if word in _REST:
            raise NotPlain
        make = _WORDS.get(word)
        if make is not None:
            check = make(rule, schema, depth)
            if check is not _nothing:
                checks.append(check)
    return _all(checks)


def _all(checks: list[Check]) -> Check:
    if len(checks) == 1:
        return checks[0]

    def check(value: Any) -> Faults:
        found: list[Fault] = []
        for item in checks:
            faults = item(value)
            if faults:
                found += faults
        return found or None

    return check


def _below(part: str | int, faults: list[Fault]) -> Iterator[Fault]:
    return (fault._replace(path=(part, *fault.path)) for fault in faults)


_TESTS: dict[str, Callable[[Any], bool]] = {
    "string": lambda v: isinstance(v, str),
    "integer": lambda v: type(v) is int or (isinstance(v, float) and v.is_integer()),
    "number": lambda v: isinstance(v, int | float) and not isinstance(v, bool),
    "boolean": lambda v: isinstance(v, bool),
    "array": lambda v: isinstance(v, list),
    "object": lambda v: isinstance(v, dict),
    "null": lambda v: v is None,
}


def _type(rule: Any, _schema: Any, _depth: int) -> Check:
    names = [rule] if isinstance(rule, str) else rule
    if not isinstance(names, list) or not names or len({*map(str, names)}) < len(names):
        raise NotPlain
    if not all(isinstance(name, str) and name in _TESTS for name in names):
        raise NotPlain
    tests = [_TESTS[name] for name in names]
    if len(tests) == 1:
        [test] = tests
        return lambda v: None if test(v) else [Fault((), "type", rule, v)]
    return lambda v: None if any(t(v) for t in tests) else [Fault((), "type", rule, v)]


def _properties(rule: Any, _schema: Any, depth: int) -> Check:
    parts = _schemas(rule, depth)

    def check(value: Any) -> Faults:
        if not isinstance(value, dict):
            return None
        found: list[Fault] = []
        for name, part in parts:
            if name in value:
                faults = part(value[name])
                if faults:
                    found += _below(name, faults)
        return found

    return check


def _schemas(rule: Any, depth: int) -> list[tuple[str, Check]]:
    if not isinstance(rule, dict):
        raise NotPlain
    return [(name, _compile(part, depth + 1)) for name, part in rule.items()]


def _required(rule: Any, _schema: Any, _depth: int) -> Check:
    if not _is_list_of(rule, str) or len(set(rule)) < len(rule):
        raise NotPlain

    def check(value: Any) -> Faults:
        if not isinstance(value, dict):
            return None
        missing = [name for name in rule if name not in value]
        return [Fault((), "required", rule, value, name) for name in missing] if missing else None

    return check


def _additional(rule: Any, schema: Any, depth: int) -> Check:
    named = schema.get("properties", {})
    if not isinstance(named, dict):
        raise NotPlain
    if rule is True:
        return _nothing
    part = None if rule is False else _compile(rule, depth + 1)

    def check(value: Any) -> Faults:
        if not isinstance(value, dict) or value.keys() <= named.keys():
            return None
        found: list[Fault] = []
        for name, item in value.items():
            if name in named:
                continue
            if part is None:
                found.append(Fault((name,), "additionalProperties", False, value, name))
            else:
                found += _below(name, part(item) or [])
        return found

    return check


def _items(rule: Any, _schema: Any, depth: int) -> Check:
    part = _compile(rule, depth + 1)

    def check(value: Any) -> Faults:
        if not isinstance(value, list):
            return None
        found: list[Fault] = []
        for index, item in enumerate(value):
            faults = part(item)
            if faults:
                found += _below(index, faults)
        return found

    return check


def _enum(rule: Any, _schema: Any, _depth: int) -> Check:
    if not isinstance(rule, list):
        raise NotPlain
    if _is_list_of(rule, str):
        names = frozenset(rule)
        return lambda v: None if isinstance(v, str) and v in names else [Fault((), "enum", rule, v)]
    return lambda v: (
        None if any(same(item, v, trim=False) for item in rule) else [Fault((), "enum", rule, v)]
    )


def _const(rule: Any, _schema: Any, _depth: int) -> Check:
    return lambda v: None if same(rule, v, trim=False) else [Fault((), "const", rule, v)]


def _some(word: str) -> Callable[[Any, Any, int], Check]:
    """anyOf: at least one fits; oneOf: exactly one does."""

    def make(rule: Any, _schema: Any, depth: int) -> Check:
        if not isinstance(rule, list) or not rule:
            raise NotPlain
        parts = [_compile(part, depth + 1) for part in rule]

        def check(value: Any) -> Faults:
            fitting = sum(not part(value) for part in parts)
            right = fitting == 1 if word == "oneOf" else fitting > 0
            return None if right else [Fault((), word, rule, value)]

        return check

    return make


def _all_of(rule: Any, _schema: Any, depth: int) -> Check:
    if not isinstance(rule, list) or not rule:
        raise NotPlain
    return _all([_compile(part, depth + 1) for part in rule])


def _bound(
    word: str, applies: Callable[[Any], bool], breaks: Callable[[Any, Any], bool], whole: bool
) -> Callable[[Any, Any, int], Check]:
    """A limit that is a number (`whole`: a count)."""

    def make(rule: Any, _schema: Any, _depth: int) -> Check:
        if isinstance(rule, bool) or not isinstance(rule, int if whole else int | float):
            raise NotPlain
        if whole and rule < 0:
            raise NotPlain
        return lambda v: [Fault((), word, rule, v)] if applies(v) and breaks(v, rule) else None

    return make


def _pattern(rule: Any, _schema: Any, _depth: int) -> Check:
    if not isinstance(rule, str):
        raise NotPlain
    return lambda v: (
        [Fault((), "pattern", rule, v)] if isinstance(v, str) and not found_in(rule, v) else None
    )


def _format(rule: Any, _schema: Any, _depth: int) -> Check:
    if not isinstance(rule, str):
        raise NotPlain
    if rule not in FORMATS:
        return _nothing
    return lambda v: None if fits_format(rule, v) else [Fault((), "format", rule, v)]


def _note(rule: Any, _schema: Any, _depth: int) -> Check:
    if not isinstance(rule, str):
        raise NotPlain
    return _nothing


def _nothing(_value: Any) -> Faults:
    return None


def _is_list_of(rule: Any, kind: type) -> bool:
    return isinstance(rule, list) and all(isinstance(item, kind) for item in rule)


_NUMBER, _STRING, _ARRAY, _OBJECT = (_TESTS[n] for n in ("number", "string", "array", "object"))
_WORDS: Mapping[str, Callable[[Any, Any, int], Check]] = {
    "type": _type,
    "properties": _properties,
    "required": _required,
    "additionalProperties": _additional,
    "items": _items,
    "enum": _enum,
    "const": _const,
    "anyOf": _some("anyOf"),
    "oneOf": _some("oneOf"),
    "allOf": _all_of,
    "minimum": _bound("minimum", _NUMBER, lambda v, rule: v < rule, False),
    "maximum": _bound("maximum", _NUMBER, lambda v, rule: v > rule, False),
    "exclusiveMinimum": _bound("exclusiveMinimum", _NUMBER, lambda v, rule: v <= rule, False),
    "exclusiveMaximum": _bound("exclusiveMaximum", _NUMBER, lambda v, rule: v >= rule, False),
    "minLength": _bound("minLength", _STRING, lambda v, rule: len(v) < rule, True),
    "maxLength": _bound("maxLength", _STRING, lambda v, rule: len(v) > rule, True),
    "minItems": _bound("minItems", _ARRAY, lambda v, rule: len(v) < rule, True),
    "maxItems": _bound("maxItems", _ARRAY, lambda v, rule: len(v) > rule, True),
    "minProperties": _bound("minProperties", _OBJECT, lambda v, rule: len(v) < rule, True),
    "maxProperties": _bound("maxProperties", _OBJECT, lambda v, rule: len(v) > rule, True),
    "pattern": _pattern,
    "format": _format,
    "description": _note,
    "title": _note,
}
# The rest of the language; any other word is a note and says nothing.
_REST = frozenset(
    "$anchor $defs $dynamicAnchor $dynamicRef $id $ref $vocabulary contains dependentRequired "
    "dependentSchemas else if maxContains minContains multipleOf not patternProperties "
    "prefixItems propertyNames then unevaluatedItems unevaluatedProperties uniqueItems".split()
)
