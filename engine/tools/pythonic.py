"""Calls written as Python: `[get_weather(city="Oslo", days=3)]`. Text is parsed, never run."""

from __future__ import annotations

import ast
import math
import re
from typing import Any

# Longer text is no list of calls, and a parser of Python is not made for hostile input.
_LONGEST = 20_000
_UNREADABLE = (SyntaxError, ValueError, MemoryError, RecursionError, TypeError)
# Python warns about an escape it does not know; it means the backslash itself.
_ODD_ESCAPE = re.compile(r"\\(?![\\'\"abfnrtvxuUN0-7\n])(?<!\\\\)")
_WORDS = {"true": True, "false": False, "null": None}


def read_python_calls(text: str) -> list[tuple[str, dict[str, Any] | None]] | None:
    """(name, arguments) of a call, or of a list or tuple of calls; None when the text is
    anything else. Arguments are None where one has no name or is no literal."""
    text = text.strip()
    if len(text) > _LONGEST or "(" not in text:
        return None
    try:
        body = ast.parse(_ODD_ESCAPE.sub(r"\\\\", text), mode="eval").body
    except _UNREADABLE:
        return None
    nodes = body.elts if isinstance(body, ast.List | ast.Tuple) else [body]
    calls = [_call(node) for node in nodes]
    found = [call for call in calls if call is not None]
    return found if found and len(found) == len(calls) else None


def _call(node: ast.expr) -> tuple[str, dict[str, Any] | None] | None:
    if not isinstance(node, ast.Call):
        return None
    name = _name(node.func)
    if name is None:
        return None
    if node.args:
        return name, None
    try:
        return name, {str(item.arg): _value(item.value) for item in _named(node)}
    except _UNREADABLE:
        return name, None


def _named(node: ast.Call) -> list[ast.keyword]:
    if any(item.arg is None for item in node.keywords):
        raise ValueError("**arguments have no names")
    return node.keywords


def _name(node: ast.expr) -> str | None:
    if isinstance(node, ast.Attribute):
        owner = _name(node.value)
        return None if owner is None else f"{owner}.{node.attr}"
    return node.id if isinstance(node, ast.Name) else None


def _value(node: ast.expr) -> Any:
    """A literal; JSON's words count too, at every depth."""
    return _plain(ast.literal_eval(_Words().visit(node)))


def _plain(value: Any) -> Any:
    """The value as JSON has it: tuples are lists; ValueError for what JSON has not."""
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, float) and math.isfinite(value):
        return value
    raise ValueError(f"{type(value).__name__} is not JSON")


class _Words(ast.NodeTransformer):
    def visit_Name(self, node: ast.Name) -> ast.expr:
        return ast.Constant(_WORDS[node.id]) if node.id in _WORDS else node
