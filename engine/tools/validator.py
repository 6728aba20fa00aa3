"""jsonschema's validator of 2020-12, made safe for the schemas of strangers."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import partial
from typing import Any

from jsonschema import Draft202012Validator, FormatChecker
from jsonschema.exceptions import ValidationError
from jsonschema.protocols import Validator
from jsonschema.validators import extend
from referencing import Registry

from engine.tools.formats import FORMATS, fits_format
from engine.tools.matchers.base import key_of
from engine.tools.patterns import found_in
from engine.tools.schema_errors import BadSchema
from engine.tools.schema_faults import schema_faults

STEPS_MAX = 20_000  # references followed in one check
Errors = Iterator[ValidationError]
_steps: ContextVar[list[int]] = ContextVar("steps")


def validator_for(schema: dict[str, Any]) -> Validator:
    """A validator that fetches nothing and looks for patterns in linear time; BadSchema when
    the schema is none."""
    for fault in schema_faults(schema):
        raise BadSchema(fault)
    # A registry of its own: jsonschema's default would fetch what it does not hold.
    validator: Validator = _Safe(schema, registry=Registry(), format_checker=_formats())
    return validator


@contextmanager
def bounded() -> Iterator[None]:
    """One check: it ends with BadSchema when it follows too many references."""
    token = _steps.set([STEPS_MAX])
    try:
        yield
    finally:
        _steps.reset(token)


def _ref(validator: Any, ref: str, instance: Any, schema: Any) -> Errors:
    left = _steps.get()
    left[0] -= 1
    if left[0] < 0:
        raise BadSchema("The schema multiplies itself; checking it takes too long.")
    yield from _REF(validator, ref, instance, schema)


def _pattern(validator: Any, pattern: str, instance: Any, schema: Any) -> Errors:
    if validator.is_type(instance, "string") and not found_in(pattern, instance):
        yield ValidationError(f"does not match the pattern {pattern[:80]!r}")


def _pattern_properties(validator: Any, patterns: Any, instance: Any, schema: Any) -> Errors:
    if not validator.is_type(instance, "object"):
        return
    for pattern, part in patterns.items():
        for key, value in instance.items():
            if found_in(pattern, key):
                yield from validator.descend(value, part, path=key, schema_path=pattern)


def _additional_properties(validator: Any, rule: Any, instance: Any, schema: Any) -> Errors:
    if not validator.is_type(instance, "object"):
        return
    named, patterns = schema.get("properties", {}), schema.get("patternProperties", {})
    for key, value in instance.items():
        if key in named or any(found_in(pattern, key) for pattern in patterns):
            continue
        if rule is False:
            yield ValidationError(f"{key!r} is not known", path=[key])
        else:
            yield from validator.descend(value, rule, path=key)


def _unique_items(validator: Any, rule: Any, instance: Any, schema: Any) -> Errors:
    """jsonschema compares every two objects, which takes seconds for some thousand."""
    if rule is True and validator.is_type(instance, "array"):
        keys = {key_of(item, trim=False) for item in instance}
        if len(keys) < len(instance):
            yield ValidationError("has an item twice")


def _formats() -> FormatChecker:
    checker = FormatChecker(formats=())
    for name in FORMATS:
        checker.checkers[name] = (partial(fits_format, name), ())
    return checker


_REF = Draft202012Validator.VALIDATORS["$ref"]
_Safe = extend(  # type: ignore[no-untyped-call]
    Draft202012Validator,
    {
        "$ref": _ref,
        "pattern": _pattern,
        "patternProperties": _pattern_properties,
        "additionalProperties": _additional_properties,
        "uniqueItems": _unique_items,
    },
)
