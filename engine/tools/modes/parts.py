"""What the modes build scores of: validity by the schemas, weights, and the result itself."""

from __future__ import annotations

from collections.abc import Sequence

from engine.tools.answers import ArgumentDiff, Call, Scored
from engine.tools.modes.context import worst_first
from engine.tools.modes.reasons import reason_of
from engine.tools.rules import CaseRules

Diffs = list[ArgumentDiff]


def schema_share(
    rules: CaseRules, calls: Sequence[Call], blamed: set[tuple[int, str]]
) -> tuple[float, Diffs]:
    """The share of calls whose arguments their tool's schema allows, and what it says against
    the others where nothing was said yet."""
    valid, diffs = 0, []
    for index, call in enumerate(calls):
        tool = rules.tools.get(call.name)
        if tool is None:
            rule = "The case offers no such tool."
            diffs.append(ArgumentDiff(index, "", None, call.name, True, rule, "unknown_tool"))
            continue
        if call.arguments is None:
            if (index, "") not in blamed:
                diffs.append(_unreadable(index, call))
            continue
        problems = tool.problems(call.arguments)
        valid += not problems
        for problem in problems:
            if (index, problem.argument) not in blamed:
                name, present = problem.argument, problem.argument in call.arguments
                found = call.arguments.get(name) if present else None
                diffs.append(
                    ArgumentDiff(index, name, None, found, present, problem.sentence, problem.kind)
                )
    return valid / len(calls), diffs


def _unreadable(index: int, call: Call) -> ArgumentDiff:
    rule = "The arguments could not be read as a JSON object."
    return ArgumentDiff(index, "", None, call.raw[:200], True, rule, "malformed_arguments")


def weighted(weight_a: float, a: float, weight_b: float, b: float) -> float:
    """The mean of two parts by their weights, which need not add up to 1."""
    total = weight_a + weight_b
    return (weight_a * a + weight_b * b) / total if total else (a + b) / 2


def failed(
    error: str,
    parts: Sequence[str],
    diffs: tuple[ArgumentDiff, ...] = (),
    *,
    reason: str = "",
) -> Scored:
    """Nothing is right: every part is 0."""
    scores = dict.fromkeys(parts, 0.0)
    return Scored(False, error, scores, reason or reason_of(error, diffs), diffs, (error,))


def scored(scores: dict[str, float], diffs: Diffs) -> Scored:
    """Passed when every part is full and no diff has an error."""
    errors = worst_first(diff.error for diff in diffs if diff.error)
    passed = not errors and all(value == 1 for value in scores.values())
    if passed:
        return Scored(True, None, scores, "Everything as expected.", tuple(diffs))
    return Scored(False, errors[0], scores, reason_of(errors[0], diffs), tuple(diffs), errors)
