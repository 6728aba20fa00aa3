"""Calls written as Python: `cd(folder='docs')`. The text is parsed and never run; what is no
literal stays the text it is."""

from __future__ import annotations

import ast
import json
import warnings
from typing import Any, NamedTuple

LENGTH_MAX = 20_000


class NotACall(ValueError):
    """The text is not one call of a named function; the message is a sentence."""


class CallText(NamedTuple):
    """`positional` are the values without a name, in order."""

    name: str
    positional: list[Any]
    named: dict[str, Any]


def parse_call(text: str) -> CallText:
    """Read one call. Raises NotACall."""
    if len(text) > LENGTH_MAX:
        raise NotACall(f"A call of more than {LENGTH_MAX:,} characters is not read.")
    try:
        node = _parsed(text.strip())
        if not isinstance(node, ast.Call):
            raise NotACall(f"{_short(text)} is not a call.")
        name = _dotted(node.func)
        if name is None:
            raise NotACall(f"{_short(text)} does not call a function by its name.")
        positional = [_value(part, text) for part in node.args]
        named = {str(part.arg): _value(part.value, text) for part in node.keywords if part.arg}
    except (SyntaxError, RecursionError, MemoryError):
        raise NotACall(f"{_short(text)} is not a call.") from None
    except ValueError as error:
        raise (
            error if isinstance(error, NotACall) else NotACall(f"{_short(text)}: {error}.")
        ) from None
    if len(positional) + len(named) < len(node.args) + len(node.keywords):
        raise NotACall(f"{_short(text)} unpacks its arguments; write them out.")
    return CallText(name, positional, named)


def _parsed(text: str) -> ast.expr:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a strange escape in somebody's text is theirs
        return ast.parse(text, mode="eval").body


def _short(text: str) -> str:
    return repr(text if len(text) <= 80 else f"{text[:77]}...")


def _dotted(node: ast.expr) -> str | None:
    parts: list[str] = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    if not isinstance(node, ast.Name):
        return None
    return ".".join([node.id, *reversed(parts)])


def _value(node: ast.expr, text: str) -> Any:
    """A literal as JSON has it; anything else as the text that stands there."""
    if isinstance(node, ast.Starred):
        raise NotACall(f"{_short(text)} unpacks its arguments; write them out.")
    try:
        value = ast.literal_eval(node)
        # Tuples become lists, and what JSON cannot say is refused here.
        return json.loads(json.dumps(value, allow_nan=False))
    except (ValueError, TypeError):
        return ast.unparse(node)
