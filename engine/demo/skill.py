"""Calling tools with a known skill: the call that is due, and the seeded mistakes.

`intended` finds the calls a careful reader of the prompt would make now; `attempt` makes
them, or with chance 1 - `chance` spoils the first in one of the ways of `MISTAKES`. The
truth log names the mistake, so a scorer can be checked against what really happened.
"""

from __future__ import annotations

from random import Random
from typing import Any, NamedTuple

from engine.demo import steps
from engine.demo.catalog import Model
from engine.demo.chat import ChatRequest

MISTAKES = (
    "no_call",
    "wrong_tool",
    "missing_argument",
    "unknown_argument",
    "wrong_value",
    "wrong_type",
)


class Attempt(NamedTuple):
    """A decision about tools: the call made, if any, and the mistake in it, if any. `more`
    are the calls that go out together with it."""

    tool: str | None
    arguments: dict[str, Any]
    mistake: str | None = None
    more: tuple[tuple[str, dict[str, Any]], ...] = ()

    @property
    def calls(self) -> tuple[tuple[str, dict[str, Any]], ...]:
        """All calls, in order."""
        return () if self.tool is None else ((self.tool, self.arguments), *self.more)


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
    """The calls a faultless model makes, or none where none is due."""
    if not request.tools or request.tool_choice == "none":
        return Attempt(None, {})
    named = [tool for tool in request.tools if tool.name == request.tool_choice]
    if named:
        return _called([steps.Step(named[0], request.last("user"))], request)
    rounds, done = steps.rounds_of(request), steps.done_rounds(request)
    if request.messages[-1].role == "tool" and done == 0 and not _calls_were_sent(request):
        done = 1  # the calls themselves were not sent along
    if done < len(rounds):
        return _called(rounds[done], request)
    if request.tool_choice == "required":
        return _called([steps.Step(steps.best_tool(request), request.last("user"))], request)
    return Attempt(None, {})


def _calls_were_sent(request: ChatRequest) -> bool:
    return any(message.role == "assistant" and message.calls for message in request.messages)


def _called(due: list[steps.Step], request: ChatRequest) -> Attempt:
    known = steps.known_fields(request)
    read = [(step.tool.name, *steps.filled(step, known)) for step in due]
    if request.tool_choice == "auto" and not all(complete for _, _, complete in read):
        return Attempt(None, {})  # a careful reader asks back
    (tool, arguments, _), *others = read
    return Attempt(tool, arguments, more=tuple((name, given) for name, given, _ in others))


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
        other = others[int(rng.random() * len(others))]
        return right._replace(tool=other, mistake=mistake)
    arguments = dict(right.arguments)
    if mistake == "unknown_argument":
        return right._replace(arguments=arguments | {"extra_detail": "none"}, mistake=mistake)
    name = list(arguments)[int(rng.random() * len(arguments))]
    if mistake == "missing_argument":
        del arguments[name]
    else:
        change = _another_type if mistake == "wrong_type" else _another_value
        arguments[name] = change(arguments[name])
    return right._replace(arguments=arguments, mistake=mistake)


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
