"""Calls written as Python: `[get_weather(city="Oslo", days=3)]`. Text is parsed, never run."""

from __future__ import annotations

import ast
import json
import re
from typing import Any

# Longer text is no list of calls, and a parser of Python is not made for hostile input.
LENGTH_MAX = 20_000
_UNREADABLE = (SyntaxError, ValueError, MemoryError, RecursionError, TypeError)
# Python warns about an escape it does not know; it means the backslash itself.
_ODD_ESCAPE = re.compile(r"\\(?![\\'\"abfnrtvxuUN0-7\n])(?<!\\\\)")
_WORDS = {"true": True, "false": False, "null": None}


def expression(text: str) -> ast.expr:
    """The one expression of a text. Raises ValueError for anything else."""
    text = text.strip()
    if len(text) > LENGTH_MAX:
        raise ValueError(f"more than {LENGTH_MAX:,} characters are not read")
    try:
        return ast.parse(_ODD_ESCAPE.sub(r"\\\\", text), mode="eval").body
    except _UNREADABLE as error:
        raise ValueError("this is no expression") from error


def dotted_name(node: ast.expr) -> str | None:
    """`a.b` of what is called, None where it has no name."""
    parts: list[str] = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    return ".".join([node.id, *reversed(parts)]) if isinstance(node, ast.Name) else None


def literal(node: ast.expr) -> Any:
    """The value of a literal as JSON has it: tuples are lists. Raises ValueError for what is
    no literal, or what JSON has not."""
    try:
        return json.loads(json.dumps(ast.literal_eval(node), allow_nan=False))
    except _UNREADABLE as error:
        raise ValueError("this is no literal of JSON") from error


def read_python_calls(text: str) -> list[tuple[str, dict[str, Any] | None]] | None:
    """(name, arguments) of a call, or of a list or tuple of calls; None when the text is
    anything else. Arguments are None where one has no name or is no literal."""
    if "(" not in text:
        return None
    try:
        body = expression(text)
    except ValueError:
        return None
    nodes = body.elts if isinstance(body, ast.List | ast.Tuple) else [body]
    calls = [_call(node) for node in nodes]
    found = [call for call in calls if call is not None]
    return found if found and len(found) == len(calls) else None


def _call(node: ast.expr) -> tuple[str, dict[str, Any] | None] | None:
    name = dotted_name(node.func) if isinstance(node, ast.Call) else None
    if not isinstance(node, ast.Call) or name is None:
        return None
    if node.args or any(item.arg is None for item in node.keywords):
        return name, None
    try:
        # JSON's words count too, at every depth.
        return name, {str(k.arg): literal(_Words().visit(k.value)) for k in node.keywords}
    except (ValueError, RecursionError):
        return name, None


class _Words(ast.NodeTransformer):
    def visit_Name(self, node: ast.Name) -> ast.expr:
        return ast.Constant(_WORDS[node.id]) if node.id in _WORDS else node
