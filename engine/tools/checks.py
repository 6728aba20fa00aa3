"""What keeps a suite from being saved: each fault with its place and what to do."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from engine.tools.matchers import NEED_NO_VALUES
from engine.tools.patterns import BadPattern, compiled
from engine.tools.schemas import check_tool
from engine.tools.suites import (
    Argument,
    Case,
    Chain,
    ExpectAny,
    ExpectCalls,
    ExpectedCall,
    ExpectNone,
    ExpectState,
    Matcher,
    Suite,
    Tool,
)

Faults = Iterator[tuple[str, str]]
NO_SIMILARITY = (
    "A semantic matcher asks an embedding model, or else a judge model: choose one, or use "
    "another matcher."
)


def suite_problems(suite: Suite, *, similarity: bool) -> dict[str, str]:
    """Path → sentence; the first fault of a place wins."""
    found: dict[str, str] = {}
    for path, sentence in _faults(suite, similarity):
        found.setdefault(path, sentence)
    return found


def _faults(suite: Suite, similarity: bool) -> Faults:
    yield from _tools(suite.tools, "tools")
    yield from _matcher(suite.match, "match", similarity)
    for index, case in enumerate(suite.cases):
        yield from _case(case, suite, f"cases.{index}", similarity)


def _tools(tools: Sequence[Tool], path: str) -> Faults:
    for index, tool in enumerate(tools):
        for sentence in check_tool(tool):
            yield f"{path}.{index}.parameters", sentence


def _case(case: Case, suite: Suite, path: str, similarity: bool) -> Faults:
    names = {tool.name for tool in suite.tools_of(case)}
    if not names:
        yield path, "The case offers no tool: add tools to the suite or to the case."
    yield from _tools(case.tools or (), f"{path}.tools")
    if case.match is not None:
        yield from _matcher(case.match, f"{path}.match", similarity)
    default = case.match or suite.match
    yield from _expect(case.expect, f"{path}.expect", names, default, similarity)
    if case.chain is not None:
        yield from _chain(case.chain, f"{path}.chain", names, default, similarity)


def _expect(
    expect: ExpectCalls | ExpectNone | ExpectAny | ExpectState | None,
    path: str,
    names: set[str],
    default: Matcher,
    similarity: bool,
) -> Faults:
    if not isinstance(expect, ExpectCalls):
        return
    for i, calls in enumerate(expect.alternatives):
        for j, call in enumerate(calls):
            yield from _call(call, f"{path}.alternatives.{i}.{j}", names, default, similarity)


def _call(
    call: ExpectedCall, path: str, names: set[str], default: Matcher, similarity: bool
) -> Faults:
    if names and call.name not in names:
        yield f"{path}.name", f"{call.name!r} is expected, but the case does not offer it."
    for name, argument in call.arguments.items():
        yield from _argument(argument, f"{path}.arguments.{name}", default, similarity)


def _argument(argument: Argument, path: str, default: Matcher, similarity: bool) -> Faults:
    match = argument.match or default
    if argument.match is not None:
        yield from _matcher(argument.match, f"{path}.match", similarity)
    if argument.values or argument.ignore or argument.optional or match.kind in NEED_NO_VALUES:
        return
    yield f"{path}.values", "Give a value that is right, or mark the argument as ignored."


def _matcher(match: Matcher, path: str, similarity: bool) -> Faults:
    if match.kind == "semantic" and not similarity:
        yield path, NO_SIMILARITY
    if match.kind == "regex":
        try:
            compiled(match.pattern)
        except BadPattern as error:
            yield f"{path}.pattern", f"{error}."


def _chain(chain: Chain, path: str, names: set[str], default: Matcher, similarity: bool) -> Faults:
    for index, turn in enumerate(chain.turns):
        place = f"{path}.turns.{index}.expect"
        yield from _expect(turn.expect, place, names, default, similarity)
    mocked: set[str] = set()
    for index, mock in enumerate(chain.mocks):
        if mock.tool not in names:
            yield f"{path}.mocks.{index}.tool", f"There is no tool {mock.tool!r} to stand in for."
        elif mock.tool in mocked:
            yield f"{path}.mocks.{index}.tool", f"{mock.tool!r} has two mocks; keep one."
        mocked.add(mock.tool)
    for index, source in enumerate(chain.sources):
        for field, name in (("tool", source.tool), ("from_tool", source.from_tool)):
            if name not in names:
                yield f"{path}.sources.{index}.{field}", f"There is no tool {name!r}."
