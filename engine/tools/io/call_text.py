"""Calls in BFCL's ground truth: `cd(folder='docs')`. The text is parsed and never run; what is
no literal stays the text it is."""

from __future__ import annotations

import ast
from typing import Any, NamedTuple

from engine.tools.pythonic import LENGTH_MAX, dotted_name, expression, literal


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
        node = expression(text)
    except ValueError:
        raise NotACall(f"{_short(text)} is not a call.") from None
    if not isinstance(node, ast.Call):
        raise NotACall(f"{_short(text)} is not a call.")
    name = dotted_name(node.func)
    if name is None:
        raise NotACall(f"{_short(text)} does not call a function by its name.")
    unpacks = any(isinstance(part, ast.Starred) for part in node.args)
    if unpacks or any(part.arg is None for part in node.keywords):
        raise NotACall(f"{_short(text)} unpacks its arguments; write them out.")
    try:
        named = {str(part.arg): _value(part.value) for part in node.keywords}
        return CallText(name, [_value(part) for part in node.args], named)
    except RecursionError:
        raise NotACall(f"{_short(text)} is nested too deep.") from None


def _short(text: str) -> str:
    return repr(text if len(text) <= 80 else f"{text[:77]}...")


def _value(node: ast.expr) -> Any:
    """A literal as JSON has it; anything else as the text that stands there."""
    try:
        return literal(node)
    except ValueError:
        return ast.unparse(node)
