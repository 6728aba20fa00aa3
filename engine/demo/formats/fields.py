"""Reading the fields of a request: each returns its value or refuses the field by name.

A missing or null field is None, or the empty value of its kind. `where` names the object
that holds the field, as a path the sender can find.
"""

from __future__ import annotations

from typing import Any

from engine.demo.chat import Refused, Tool

MAX_TOOLS = 128
MAX_STOPS = 16


def bad(param: str, message: str) -> Refused:
    """The refusal of a field."""
    return Refused(400, "invalid_value", message, param)


def required_text(body: dict[str, Any], name: str, what: str) -> str:
    value = body.get(name)
    if not isinstance(value, str) or not value:
        raise bad(name, f"{name} must be {what}, as text.")
    return value


def mapping(body: dict[str, Any], name: str) -> dict[str, Any]:
    value = body.get(name)
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise bad(name, f"{name} must be an object.")
    return value


def sequence(body: dict[str, Any], name: str, most: int) -> list[Any]:
    value = body.get(name)
    if value is None:
        return []
    if not isinstance(value, list) or len(value) > most:
        raise bad(name, f"{name} must be a list of at most {most}.")
    return value


def turns(body: dict[str, Any], name: str) -> list[Any]:
    value = body.get(name)
    if not isinstance(value, list) or not value:
        raise bad(name, f"{name} must be a list with at least one message.")
    return value


def integer(body: dict[str, Any], name: str, low: int) -> int | None:
    value = body.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int) or value < low:
        raise bad(name, f"{name} must be a whole number of at least {low}.")
    return value


def number(body: dict[str, Any], name: str, high: float) -> float | None:
    """A number from 0 to `high`."""
    value = body.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= high:
        raise bad(name, f"{name} must be a number from 0 to {high:g}.")
    return float(value)


def flag(body: dict[str, Any], name: str) -> bool:
    value = body.get(name)
    if value is not None and not isinstance(value, bool):
        raise bad(name, f"{name} must be true or false.")
    return value is True


def stops(body: dict[str, Any], name: str) -> tuple[str, ...]:
    """Stop texts: one, or a list of them."""
    value = body.get(name)
    found = [value] if isinstance(value, str) else [] if value is None else value
    texts = isinstance(found, list) and all(isinstance(stop, str) and stop for stop in found)
    if not texts or len(found) > MAX_STOPS:
        raise bad(name, f"{name} must be text or a list of up to {MAX_STOPS} texts.")
    return tuple(found)


def tool(function: Any, source: Any, schema: str, where: str) -> Tool:
    """A function with a name, a description and a JSON Schema under the field `schema`;
    `source` is the definition as it was sent."""
    name = function.get("name") if isinstance(function, dict) else None
    if not isinstance(function, dict) or not isinstance(name, str) or not name:
        raise bad(f"{where}.name", f"{where} must be a function with a name.")
    parameters = function.get(schema)
    if parameters is not None and not isinstance(parameters, dict):
        raise bad(f"{where}.{schema}", f"{where}: {schema} must be a JSON Schema.")
    description = function.get("description")
    return Tool(name, description if isinstance(description, str) else "", parameters or {}, source)
