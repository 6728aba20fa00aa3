"""Calling tools with a known skill: the call that is due, and the seeded mistakes.

`intended` finds the call a careful reader of the prompt would make; `attempt` makes it, or
with chance 1 - `chance` spoils it in one of the ways of `MISTAKES`. The truth log names
the mistake, so a scorer can be checked against what really happened.
"""

from __future__ import annotations

import re
from random import Random
from typing import Any, NamedTuple

from engine.demo.catalog import Model
from engine.demo.chat import ChatRequest, Tool

MISTAKES = (
    "no_call",
    "wrong_tool",
    "missing_argument",
    "unknown_argument",
    "wrong_value",
    "wrong_type",
)
# A tool is due when the prompt shares this much with it; a word of its name counts double.
_DUE = 2
_READ_CHARS = 4_000
_MOST_VALUES = 16
_DEEPEST = 4

_WORD = re.compile(r"[^\W\d_]{3,}")
_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])|_")
_NUMBER = re.compile(r"(?<![\w.])-?\d+(?:\.\d+)?(?![\w-])")
_QUOTED = re.compile(r"[\"“'‘]([^\"”'’]{1,200})[\"”'’](?!\w)")
_NAME = re.compile(r"(?<=[^.?!\n] )[A-Z][\w-]+(?: [A-Z][\w-]+)*")
_SHAPES = {
    "email": re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+"),
    "date": re.compile(r"\d{4}-\d\d-\d\d"),
    "time": re.compile(r"\d{1,2}:\d\d"),
    "url": re.compile(r"https?://[^\s\"'<>]+"),
}
_IDLE = frozenset(
    "and are does for from get how that the this was what when which with you".split()
)


class Attempt(NamedTuple):
    """A decision about tools: the call made, if any, and the mistake in it, if any."""

    tool: str | None
    arguments: dict[str, Any]
    mistake: str | None = None


def chance(model: Model, request: ChatRequest) -> float:
    """The chance that a due call is right. The one place where temperature, system prompt
    and descriptions may come to matter."""
    return model.skill


def attempt(model: Model, request: ChatRequest, rng: Random) -> Attempt:
    """What the model does about the tools on offer."""
    right = intended(request)
    if right.tool is None or rng.random() < chance(model, request):
        return right
    kinds = [kind for kind in MISTAKES if _possible(kind, right, request)]
    return _spoil(right, kinds[int(rng.random() * len(kinds))], request, rng)


def intended(request: ChatRequest) -> Attempt:
    """The call a faultless model makes, or none where none is due."""
    tool = _due(request)
    if tool is None:
        return Attempt(None, {})
    return Attempt(tool.name, _Reader(request.last("user")).fill(tool.parameters))


def _due(request: ChatRequest) -> Tool | None:
    if not request.tools or request.tool_choice == "none":
        return None
    named = [tool for tool in request.tools if tool.name == request.tool_choice]
    if named:
        return named[0]
    if request.messages[-1].role == "tool" and request.tool_choice != "required":
        return None
    words = _stems(request.last("user"))
    scores = [_relevance(tool, words) for tool in request.tools]
    best = max(range(len(scores)), key=scores.__getitem__)
    if scores[best] < _DUE and request.tool_choice != "required":
        return None
    return request.tools[best]


def _relevance(tool: Tool, words: set[str]) -> int:
    name = _stems(_CAMEL.sub(" ", tool.name))
    parameters = " ".join(_part(tool.parameters.get("properties")))
    told = _stems(f"{tool.description} {_CAMEL.sub(' ', parameters)}")
    return 2 * len(words & name) + len(words & (told - name))


def _stems(text: str) -> set[str]:
    words = (word.lower() for word in _WORD.findall(text))
    return {re.sub(r"(ies|es|s|ing|ed)$", "", word) or word for word in words if word not in _IDLE}


class _Reader:
    """Takes argument values out of a prompt, each piece of evidence once.

    Schemas come from outside: whatever does not have the expected shape counts as absent.
    """

    def __init__(self, prompt: str) -> None:
        self._prompt = prompt[-_READ_CHARS:]
        self._numbers = [float(n) for n in _NUMBER.findall(self._prompt)][:_MOST_VALUES]
        self._texts = (_QUOTED.findall(self._prompt) + _NAME.findall(self._prompt))[:_MOST_VALUES]

    def fill(self, schema: dict[str, Any], depth: int = 0) -> dict[str, Any]:
        """Values for the required properties, in the schema's order."""
        required = schema.get("required")
        if not isinstance(required, list) or depth > _DEEPEST:
            return {}
        return {
            name: self._value(name, _part(part), depth)
            for name, part in _part(schema.get("properties")).items()
            if name in required
        }

    def _value(self, name: str, schema: dict[str, Any], depth: int) -> Any:
        choices = schema.get("enum")
        if isinstance(choices, list) and choices:
            said = self._prompt.lower()
            return next((c for c in choices if str(c).lower() in said), choices[0])
        kind = _kind(schema)
        if kind in ("integer", "number"):
            return self._number(schema, whole=kind == "integer")
        if kind == "boolean":
            return schema.get("default") is not False
        if kind == "object":
            return self.fill(schema, depth + 1)
        if kind == "array":
            return self._several(name, _part(schema.get("items")), depth + 1)
        return self._text(name, schema)

    def _number(self, schema: dict[str, Any], *, whole: bool) -> float:
        fits = [n for n in self._numbers if not whole or n.is_integer()]
        if fits:
            self._numbers.remove(fits[0])
            return int(fits[0]) if fits[0].is_integer() else fits[0]
        spare = schema.get("default", schema.get("minimum", 1))
        return spare if isinstance(spare, int | float) else 1

    def _several(self, name: str, schema: dict[str, Any], depth: int) -> list[Any]:
        if depth > _DEEPEST:
            return []
        evidence = self._numbers if _kind(schema) in ("integer", "number") else self._texts
        return [self._value(name, schema, depth) for _ in range(max(1, len(evidence)))]

    def _text(self, name: str, schema: dict[str, Any]) -> str:
        hint = f"{name} {schema.get('format', '')}".lower()
        for shape, pattern in _SHAPES.items():
            found = pattern.search(self._prompt) if shape in hint else None
            if found:
                return found.group()
        if self._texts:
            return str(self._texts.pop(0))
        words = [word for word in _WORD.findall(self._prompt) if word.lower() not in _IDLE]
        return words[-1] if words else "unknown"


def _part(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _kind(schema: dict[str, Any]) -> str:
    kinds = schema.get("type")
    if isinstance(kinds, list):
        kinds = next((kind for kind in kinds if kind != "null"), None)
    return kinds if isinstance(kinds, str) else "string"


def _possible(kind: str, right: Attempt, request: ChatRequest) -> bool:
    forced = request.tool_choice not in ("auto", "none")
    if kind == "no_call":
        return not forced
    if kind == "wrong_tool":
        return len(request.tools) > 1 and request.tool_choice in ("auto", "required")
    return kind == "unknown_argument" or bool(right.arguments)


def _spoil(right: Attempt, mistake: str, request: ChatRequest, rng: Random) -> Attempt:
    if mistake == "no_call":
        return Attempt(None, {}, mistake)
    if mistake == "wrong_tool":
        others = [tool.name for tool in request.tools if tool.name != right.tool]
        return Attempt(others[int(rng.random() * len(others))], right.arguments, mistake)
    arguments = dict(right.arguments)
    if mistake == "unknown_argument":
        return Attempt(right.tool, arguments | {"extra_detail": "none"}, mistake)
    name = list(arguments)[int(rng.random() * len(arguments))]
    if mistake == "missing_argument":
        del arguments[name]
    else:
        change = _another_type if mistake == "wrong_type" else _another_value
        arguments[name] = change(arguments[name])
    return Attempt(right.tool, arguments, mistake)


def _another_type(value: Any) -> Any:
    return [value] if isinstance(value, str | list | dict) else str(value)


def _another_value(value: Any) -> Any:
    if isinstance(value, bool):
        return not value
    if isinstance(value, int | float):
        return value + 7
    if isinstance(value, list):
        return value[:-1]
    return f"not {value}"
