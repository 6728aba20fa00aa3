"""What a schema says against arguments, as problems: class, place and a sentence."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any

from engine.tools.matchers.base import shown
from engine.tools.quick_schema import Fault

if TYPE_CHECKING:
    from jsonschema.exceptions import ValidationError
    from jsonschema.protocols import Validator


PROBLEMS_MAX = 20


class BadSchema(ValueError):
    """A schema that cannot be checked against; the message is a sentence."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong with arguments. `kind` is one of `ERROR_TYPES`, `argument` the
    top-level argument it concerns ("" for the whole), `path` the place in it."""

    kind: str
    argument: str
    path: str
    sentence: str


def explained(validator: Validator, arguments: Any) -> list[Problem]:
    """jsonschema's verdict, at most PROBLEMS_MAX problems in the order of the schema's words;
    BadSchema when the schema cannot be followed on these arguments."""
    from referencing.exceptions import Unresolvable

    from engine.tools.validator import bounded

    try:
        with bounded():
            found = islice(validator.iter_errors(arguments), PROBLEMS_MAX)
            return [_problem(_fault(error), error.message) for error in found]
    except RecursionError:
        raise BadSchema("The schema and the arguments are nested too deep to check.") from None
    except (Unresolvable, OverflowError, ArithmeticError) as error:
        raise BadSchema(f"The schema cannot be followed: {error}.") from None


def told(faults: list[Fault]) -> list[Problem]:
    """The same of a plain schema's faults."""
    return [_problem(fault, "") for fault in faults[:PROBLEMS_MAX]]


def _fault(error: ValidationError) -> Fault:
    rule: Any = error.validator_value
    detail = ""
    if error.validator == "required":
        # One error for each name, and the name stands in the message only.
        named = error.message.removesuffix(" is a required property")
        detail = next((name for name in rule if repr(name) == named), "")
    elif error.validator == "additionalProperties" and rule is False:
        detail = str(error.absolute_path[-1])
    path = tuple(error.absolute_path)
    return Fault(path, str(error.validator), rule, error.instance, detail)


def _problem(fault: Fault, message: str) -> Problem:
    top = str(fault.path[0]) if fault.path else ""
    place = _place(fault.path)
    if fault.word == "required":
        name = f"{place}.{fault.detail}" if place else fault.detail
        kind = "invalid_schema" if place else "missing_argument"
        return Problem(kind, top or fault.detail, name, f"{name} is required.")
    if fault.word == "additionalProperties":
        kind = "unknown_argument" if len(fault.path) == 1 else "invalid_schema"
        return Problem(kind, top, place, f"{place} is not known to the schema.")
    kind = "wrong_type" if fault.word == "type" else "invalid_schema"
    return Problem(kind, top, place, _sentence(fault, place or "The arguments", message))


def _place(path: tuple[str | int, ...]) -> str:
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else str(part)
    return text


def _sentence(fault: Fault, place: str, message: str) -> str:
    say = _WORDS.get(fault.word)
    if say is None:
        return f"{place}: {message[:200]}."
    return f"{place} {say(fault.rule)}, not {shown(fault.found)}."


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
    "minProperties": lambda value: f"must have at least {value} keys",
    "maxProperties": lambda value: f"must have at most {value} keys",
    "uniqueItems": lambda _: "must have no item twice",
    "pattern": lambda value: f"must match {shown(value)}",
    "format": lambda value: f"must be in the format {value}",
    "anyOf": lambda _: "must fit one of the allowed forms",
    "oneOf": lambda _: "must fit exactly one of the allowed forms",
    "not": lambda _: "must not be of the excluded form",
}
