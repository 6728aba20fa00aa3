"""jsonschema's errors as problems of arguments: class, place and a sentence."""

from __future__ import annotations

from collections.abc import Callable
from itertools import islice
from typing import Any

from jsonschema.exceptions import ValidationError
from jsonschema.protocols import Validator
from referencing.exceptions import Unresolvable

from engine.tools.matchers.base import shown
from engine.tools.schemas import PROBLEMS_MAX, BadSchema, Problem
from engine.tools.validator import bounded


def explained(validator: Validator, arguments: Any) -> list[Problem]:
    """At most PROBLEMS_MAX problems in the order of the schema's words; BadSchema when the
    schema cannot be followed on these arguments."""
    try:
        with bounded():
            found = islice(validator.iter_errors(arguments), PROBLEMS_MAX)
            return [_problem(error) for error in found]
    except RecursionError:
        raise BadSchema("The schema and the arguments are nested too deep to check.") from None
    except (Unresolvable, OverflowError, ArithmeticError) as error:
        raise BadSchema(f"The schema cannot be followed: {error}.") from None


def _problem(error: ValidationError) -> Problem:
    path = list(error.absolute_path)
    if error.validator == "required" and not path:
        # One error for each name, and the name stands in the message only.
        named = error.message.removesuffix(" is a required property")
        names: Any = error.validator_value
        name = next((n for n in names if repr(n) == named), "")
        return Problem("missing_argument", name, name, f"{name} is required.")
    top = str(path[0]) if path else ""
    place = _place(path)
    kind = "wrong_type" if error.validator == "type" else "invalid_schema"
    if error.validator == "additionalProperties" and len(path) == 1:
        kind = "unknown_argument"
    return Problem(kind, top, place, _sentence(error, place or "The arguments"))


def _place(path: list[str | int]) -> str:
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else str(part)
    return text


def _sentence(error: ValidationError, place: str) -> str:
    word, value = error.validator, error.validator_value
    say = _WORDS.get(str(word))
    if say is None:
        return f"{place}: {error.message[:200]}."
    return f"{place} {say(value)}, not {shown(error.instance)}."


def _type(value: Any) -> str:
    names = [value] if isinstance(value, str) else list(value)
    return "must be " + " or ".join(str(name) for name in names)


_WORDS: dict[str, Callable[[Any], str]] = {
    "type": _type,
    "enum": lambda value: f"must be one of {shown(value, 120)}",
    "const": lambda value: f"must be {shown(value)}",
    "minimum": lambda value: f"must be at least {value}",
    "maximum": lambda value: f"must be at most {value}",
    "exclusiveMinimum": lambda value: f"must be more than {value}",
    "exclusiveMaximum": lambda value: f"must be less than {value}",
    "multipleOf": lambda value: f"must be a multiple of {value}",
    "minLength": lambda value: f"must have at least {value} characters",
    "maxLength": lambda value: f"must have at most {value} characters",
    "minItems": lambda value: f"must have at least {value} items",
    "maxItems": lambda value: f"must have at most {value} items",
    "uniqueItems": lambda _: "must have no item twice",
    "pattern": lambda value: f"must match {shown(value)}",
    "format": lambda value: f"must be in the format {value}",
    "anyOf": lambda _: "must fit one of the allowed forms",
    "oneOf": lambda _: "must fit exactly one of the allowed forms",
    "not": lambda _: "must not be of the excluded form",
}
