"""What a suite may hold and can hardly mean: cases that no answer passes by the studio's rules,
for what they expect breaks the schema of the tool. It is said and never refused; the
leaderboard's own data has such cases, and its rules look at no schema."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from engine.tools.rules import ToolRules
from engine.tools.suites import (
    Argument,
    Case,
    ExpectCalls,
    ExpectedCall,
    Matcher,
    OneOf,
    Suite,
)

SHOWN_MAX = 3
# Matchers that let pass nothing but the very values that are written down.
_LITERAL = frozenset({"exact", "one_of", "list", "allowed"})
Note = tuple[str, str]


def suite_notes(suite: Suite) -> dict[str, str]:
    """Path → sentence (`cases.3.expect.alternatives.0.0.arguments.city`, as in `problems_of`),
    at most one for each question."""
    tools = {id(tool): ToolRules(tool) for tool in suite.tools}
    found: dict[str, str] = {}
    for index, case in enumerate(suite.cases):
        offered = {
            tool.name: tools.get(id(tool)) or ToolRules(tool) for tool in suite.tools_of(case)
        }
        for path, expect in _expectations(case, f"cases.{index}"):
            note = _never_passes(expect, path, offered, case.match or suite.match)
            found.update([note] if note else [])
    return found


def note_of(suite: Suite) -> str | None:
    """All of it in a sentence or two, for who imports; None when there is nothing to say."""
    found = suite_notes(suite)
    if not found:
        return None
    cases = {suite.cases[int(path.split(".")[1])].id: said for path, said in found.items()}
    told = " ".join(f"{case}: {said}" for case, said in list(cases.items())[:SHOWN_MAX])
    count = "1 case" if len(cases) == 1 else f"{len(cases):,} cases"
    rest = " And so on." if len(cases) > SHOWN_MAX else ""
    return f"{count} cannot pass by the studio's rules, whatever is answered. {told}{rest}"


def _expectations(case: Case, path: str) -> Iterator[tuple[str, ExpectCalls]]:
    if isinstance(case.expect, ExpectCalls):
        yield f"{path}.expect", case.expect
    for index, turn in enumerate(case.chain.turns if case.chain else ()):
        if isinstance(turn.expect, ExpectCalls):
            yield f"{path}.chain.turns.{index}.expect", turn.expect


def _never_passes(
    expect: ExpectCalls, path: str, offered: dict[str, ToolRules], default: Matcher
) -> Note | None:
    """The first fault of the first set of calls, when every set has one."""
    first: Note | None = None
    for i, calls in enumerate(expect.alternatives):
        faults = (
            (f"{path}.alternatives.{i}.{j}{place}", said)
            for j, call in enumerate(calls)
            if (tool := offered.get(call.name))
            for place, said in _faults(call, tool, default)
        )
        fault = next(faults, None)
        if fault is None:
            return None
        first = first or fault
    return first


def _faults(call: ExpectedCall, tool: ToolRules, default: Matcher) -> Iterator[Note]:
    given = {name: argument.values[0] for name, argument in call.arguments.items()
             if argument.values}  # fmt: skip
    problems = tool.problems(given)
    if not problems:
        return
    defaults = tool.schema.defaults
    for problem in problems:
        name = problem.argument
        argument = call.arguments.get(name)
        if argument is None:
            missing = problem.kind == "missing_argument" and name in tool.schema.required
            if missing and name not in defaults and not call.ignore_others:
                yield "", f"{call.name} requires {name}, which the case does not expect."
        elif _is_due(name, argument, tool) and _all_break(name, argument, tool, default):
            yield f".arguments.{name}", f"The schema disagrees: {problem.sentence}"


def _is_due(name: str, argument: Argument, tool: ToolRules) -> bool:
    """Whether a right answer has this argument."""
    if argument.ignore or not argument.values:
        return False
    return name in tool.schema.required or not argument.optional


def _all_break(name: str, argument: Argument, tool: ToolRules, default: Matcher) -> bool:
    match = argument.match or default
    if match.kind not in _LITERAL:
        return False
    values = [*argument.values, *(match.values if isinstance(match, OneOf) else ())]
    folded = bool(getattr(match, "fold_case", False))
    return all(
        not _is_loose(value, match.kind, folded)
        and any(problem.argument == name for problem in tool.problems({name: value}))
        for value in values
    )


def _is_loose(value: Any, kind: str, folded: bool) -> bool:
    """Whether other values than this one fit it: texts in another case or with other space at
    their ends, objects that list what is allowed."""
    if isinstance(value, str):
        return folded or value != value.strip()
    if isinstance(value, dict):
        return kind == "allowed" or _any_loose(list(value.values()), kind, folded)
    return isinstance(value, list | tuple) and _any_loose(value, kind, folded)


def _any_loose(values: Sequence[Any], kind: str, folded: bool) -> bool:
    return any(_is_loose(value, kind, folded) for value in values)
