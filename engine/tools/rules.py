"""What a case expects, made ready once for many answers: tools by name with their schemas,
expected calls with the matcher of each argument."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeVar

from engine.tools.schemas import BadSchema, Problem, Schema
from engine.tools.suites import Argument, Case, ExpectCalls, ExpectedCall, Matcher, Suite, Tool

T = TypeVar("T")


class ToolRules:
    """A tool and its schema, ready."""

    def __init__(self, tool: Tool) -> None:
        self.tool = tool
        self.schema = Schema(tool.parameters)

    def problems(self, arguments: object) -> list[Problem]:
        """What the schema says against arguments; a schema that cannot be checked against
        says nothing (it is refused when a suite is saved)."""
        try:
            return self.schema.problems(arguments)
        except BadSchema:
            return []


@dataclass(frozen=True, slots=True)
class ArgumentRules:
    """An expected argument with its matcher decided."""

    name: str
    argument: Argument
    match: Matcher


class CallRules:
    """An expected call; `tool` is None where the case does not offer it."""

    __slots__ = ("arguments", "expected", "name", "names", "tool")

    def __init__(self, expected: ExpectedCall, default: Matcher, tool: ToolRules | None) -> None:
        self.expected, self.name, self.tool = expected, expected.name, tool
        self.names = expected.arguments.keys()
        self.arguments = [
            ArgumentRules(name, argument, argument.match or default)
            for name, argument in expected.arguments.items()
        ]


class CaseRules:
    """A case and the tools it offers, ready."""

    def __init__(self, case: Case, suite: Suite, tools: dict[str, ToolRules]) -> None:
        self.case, self.tools = case, tools
        self.match = case.match or suite.match
        self._made: dict[str, Any] = {}

    def once(self, name: str, make: Callable[[CaseRules], T]) -> T:
        """What a mode makes ready of the case, made on first use."""
        if name not in self._made:
            self._made[name] = make(self)
        made: T = self._made[name]
        return made

    @cached_property
    def alternatives(self) -> list[list[CallRules]]:
        """The expected sets of calls, [] where no calls are expected by name."""
        return self.ready(self.case.expect) if isinstance(self.case.expect, ExpectCalls) else []

    def ready(self, expect: ExpectCalls) -> list[list[CallRules]]:
        """Any expectation of calls, with this case's tools and matchers."""
        return [
            [CallRules(call, self.match, self.tools.get(call.name)) for call in calls]
            for calls in expect.alternatives
        ]


def rules_of(tools: Sequence[Tool]) -> dict[str, ToolRules]:
    """Tools by name, ready."""
    return {tool.name: ToolRules(tool) for tool in tools}
