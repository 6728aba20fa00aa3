"""The Berkeley Function Calling Leaderboard's rules, verdict for verdict.

Names are compared as they stand. Matchers, defaults and the order of calls play no part; what
these rules get wrong is kept, and docs/tools.md says how the studio differs.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from engine.tools.answers import Answer, ArgumentDiff, Call, Scored
from engine.tools.bfcl_values import Parameter, listed
from engine.tools.modes import studio
from engine.tools.modes.context import Context
from engine.tools.rules import ArgumentRules, CallRules, CaseRules
from engine.tools.suites import Allowed, ExpectAny, ExpectCalls, ExpectNone, OneOf, Tool

# What these rules call wrong, in words.
SENTENCES = {
    "undecodable": "No call could be read.",
    "wrong_count": "The number of calls is wrong.",
    "wrong_name": "Another tool was called.",
    "missing_required": "A required argument is missing.",
    "unexpected_param": "Not in the schema, or not in the possible answer.",
    "wrong_type": "Of another type than the schema says.",
    "wrong_item_type": "An item is of another type than the schema says.",
    "wrong_value": "Not one of the possible values.",
    "wrong_key": "A key is not in the possible answer.",
    "missing_key": "A key is missing.",
    "missing_optional": "Left out, and the possible answer does not allow it.",
    "no_match": "No call fits this possible answer.",
    "unneeded_call": "A call was read where none is due.",
    "no_call": "No call was read where one is due.",
}


SOURCE_TEXT = (
    "the leaderboard's Java and JavaScript categories compare source text, which these rules do "
    "not read. Leave these cases out."
)


class Unscorable(ValueError):
    """A case that a mode has no rules for; the message is a sentence."""


def is_source_text(category: str) -> bool:
    """Whether a category of the leaderboard is of Java or JavaScript."""
    return category in ("java", "javascript", "simple_java", "simple_javascript")


class Truth:
    """A possible answer with the function that describes it, ready."""

    __slots__ = ("ignored", "name", "parameters", "required", "truth")

    def __init__(self, expected: CallRules, tool: Tool | None) -> None:
        schema = (tool.original or tool.parameters) if tool else {}
        properties = schema.get("properties")
        properties = properties if isinstance(properties, Mapping) else {}
        required = schema.get("required")
        self.name = tool.name if tool else expected.name
        listed = required if isinstance(required, list) else []
        self.required = [name for name in listed if isinstance(name, str)]
        self.truth = possible_answer(expected)
        self.ignored = {item.name for item in expected.arguments if item.argument.ignore}
        self.parameters = {
            name: Parameter(properties[name], allowed)
            for name, allowed in self.truth.items()
            if isinstance(properties.get(name), Mapping)
        }

    def check(self, call: Call, index: int) -> ArgumentDiff | None:
        """The first thing that is wrong with a call, None when it fits."""
        if call.name != self.name:
            return _wrong(index, "", self.name, call.name, "wrong_name")
        arguments = call.arguments or {}
        for name in self.required:
            if name not in arguments:
                return _wrong(index, name, self.truth.get(name), None, "missing_required")
        for name, value in arguments.items():
            parameter = self.parameters.get(name)
            if parameter is None:
                if name in self.ignored:
                    continue
                return _wrong(index, name, None, value, "unexpected_param")
            if error := parameter.check(value):
                return _wrong(index, name, parameter.allowed, value, error)
        for name, allowed in self.truth.items():
            if name not in arguments and "" not in allowed:
                return _wrong(index, name, allowed, None, "missing_optional")
        return None


def possible_answer(call: CallRules) -> dict[str, list[Any]]:
    """The allowed values of each argument as the leaderboard lists them: "" among them says
    that it may be left out, and each key of an object holds a list. Of matchers only the
    values of `one_of` have a place there; an ignored argument is left out."""
    return {item.name: _allowed(item) for item in call.arguments if not item.argument.ignore}


def _allowed(item: ArgumentRules) -> list[Any]:
    values = [*item.argument.values]
    if isinstance(item.match, OneOf):
        values += item.match.values
    if not isinstance(item.match, Allowed):
        values = [listed(value) for value in values]
    return [*values, ""] if item.argument.optional and "" not in values else values


def judge(rules: CaseRules, answer: Answer, context: Context) -> Scored:
    """The leaderboard's verdict; cases that expect a state have none and are scored by it."""
    expect = rules.case.expect
    calls = context.counted(answer)
    if calls is not None and any(call.arguments is None for call in calls):
        calls = None  # an answer of which one call cannot be read is none to the leaderboard
    if isinstance(expect, ExpectNone):
        return _failed("unneeded_call") if calls else _PASSED
    if isinstance(expect, ExpectAny):
        return _PASSED if calls else _failed("no_call")
    if not isinstance(expect, ExpectCalls):
        return studio.judge(rules, answer, context)
    if is_source_text(rules.case.category):
        raise Unscorable(f"{rules.case.id}: {SOURCE_TEXT}")
    if calls is None:
        return _failed("undecodable")
    first: Scored | None = None
    for truths, check in _ready(rules):
        scored = check(truths, calls)
        if scored.passed:
            return scored
        first = first or scored
    return first or _failed("no_match")


Check = Callable[[Sequence[Truth], Sequence[Call]], Scored]
_READY = "bfcl"


def _ready(rules: CaseRules) -> list[tuple[list[Truth], Check]]:
    """The case's possible answers with the rule of its category, made once."""
    return rules.once(_READY, _made_ready)


def _made_ready(rules: CaseRules) -> list[tuple[list[Truth], Check]]:
    tools = [ready.tool for ready in rules.tools.values()]
    return [_by_category(rules.case.category, calls, tools) for calls in rules.alternatives]


def _by_category(
    category: str, calls: Sequence[CallRules], tools: Sequence[Tool]
) -> tuple[list[Truth], Check]:
    """The leaderboard's categories by their names; other cases by their number of calls."""
    named = {tool.name: tool for tool in tools}
    if "parallel" in category or ("multiple" not in category and len(calls) > 1):
        return [Truth(call, named.get(call.name)) for call in calls], _parallel
    if "simple" in category and tools:  # described by the first function, whatever its name
        return [Truth(calls[0], tools[0])], _single
    return [Truth(call, named.get(call.name)) for call in calls], _single


def _single(truths: Sequence[Truth], calls: Sequence[Call]) -> Scored:
    if len(calls) != len(truths):
        return _failed("wrong_count", f"{len(calls)} calls, not {len(truths)}.")
    wrong = truths[0].check(calls[0], 0)
    return _PASSED if wrong is None else _wrong_call(wrong)


def _parallel(truths: Sequence[Truth], calls: Sequence[Call]) -> Scored:
    """In the order of the truths, each takes the first call left that fits."""
    if len(calls) != len(truths):
        return _failed("wrong_count", f"{len(calls)} calls, not {len(truths)}.")
    left = list(enumerate(calls))
    for truth in truths:
        faults: list[ArgumentDiff] = []
        for place, (index, call) in enumerate(left):
            wrong = truth.check(call, index)
            if wrong is None:
                del left[place]
                break
            faults.append(wrong)
        else:
            return _no_match(truth, faults)
    return _PASSED


def _no_match(truth: Truth, faults: Sequence[ArgumentDiff]) -> Scored:
    reason = f"No call left fits the possible answer {truth.name}."
    errors = ("no_match", *dict.fromkeys(str(fault.error) for fault in faults))
    return Scored(False, "no_match", dict(_NOTHING), reason, tuple(faults), errors)


def _wrong(index: int, name: str, expected: Any, found: Any, error: str) -> ArgumentDiff:
    present = error not in ("missing_required", "missing_optional")
    return ArgumentDiff(index, name, expected, found, present, SENTENCES[error], error)


def _wrong_call(diff: ArgumentDiff) -> Scored:
    error = str(diff.error)
    reason = f"{diff.name}: {diff.rule}" if diff.name else f"{diff.rule} {diff.found}"
    return Scored(False, error, dict(_NOTHING), reason, (diff,), (error,))


def _failed(error: str, reason: str = "") -> Scored:
    return Scored(False, error, dict(_NOTHING), reason or SENTENCES[error], (), (error,))


_NOTHING = {"overall": 0.0}
_PASSED = Scored(True, None, {"overall": 1.0}, "The leaderboard's rules are met.")
