"""A suite as BFCL's questions and possible answers, as far as BFCL can say it."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

from engine.tools.bfcl_values import listed
from engine.tools.io.bfcl_cases import category_of
from engine.tools.io.bfcl_types import NotSaid, to_bfcl
from engine.tools.io.problems import Exported, LeftOut
from engine.tools.suites import Argument, Case, ExpectCalls, ExpectedCall, OneOf, Suite, Tool

_PLAIN = frozenset({"exact", "one_of", "allowed"})
_KINDS = ("simple", "multiple", "parallel", "parallel_multiple")


class _CannotSay(Exception):
    """Why BFCL has no form for a case."""


def export(suite: Suite) -> Exported:
    """Two files of JSON lines; cases that need more than BFCL has are listed as left out."""
    questions: list[dict[str, Any]] = []
    answers: list[dict[str, Any]] = []
    left_out: list[LeftOut] = []
    counts: Counter[str] = Counter()
    for case in suite.cases:
        try:
            truth = _truth(case, suite)
            functions = [_function(tool) for tool in suite.tools_of(case)]
        except _CannotSay as reason:
            left_out.append(LeftOut(case.id, str(reason)))
            continue
        name = _id_of(case, truth, len(functions), counts)
        question = [[*_system(suite), *case.conversation]]
        questions.append({"id": name, "question": question, "function": functions})
        if truth is not None:
            answers.append({"id": name, "ground_truth": truth})
    files = {"questions.json": _lines(questions), "possible_answers.json": _lines(answers)}
    return Exported({name: text for name, text in files.items() if text}, tuple(left_out))


def _lines(items: list[dict[str, Any]]) -> str:
    """A line each; escaped as BFCL does, so that no reader takes U+2028 for the end of one."""
    return "".join(f"{json.dumps(item, allow_nan=False)}\n" for item in items)


def _system(suite: Suite) -> list[dict[str, Any]]:
    return [{"role": "system", "content": suite.system_prompt}] if suite.system_prompt else []


def _id_of(case: Case, truth: list[Any] | None, functions: int, counts: Counter[str]) -> str:
    """The case's own id where it is BFCL's, for the category stands in it."""
    if truth is None:
        fitting = "irrelevance" if case.expect.kind == "none" else "live_relevance"
    else:
        fitting = _KINDS[2 * (len(truth) > 1) + (functions > 1)]
    if _keeps(category_of(case.id).removeprefix("live_"), fitting, functions):
        return case.id
    counts[fitting] += 1
    return f"{fitting}_{counts[fitting] - 1}"


def _keeps(category: str, fitting: str, functions: int) -> bool:
    """Whether the rules of a category judge a case as `fitting` would."""
    if category.startswith("simple"):
        return fitting == "simple"
    if category in ("irrelevance", "relevance"):
        return category == fitting.removeprefix("live_")
    if category == "multiple":
        return fitting in ("simple", "multiple") and functions > 0
    return category in _KINDS and fitting in _KINDS


def _truth(case: Case, suite: Suite) -> list[Any] | None:
    """The ground truth, None where BFCL needs none."""
    if case.chain is not None or case.expect.kind == "state":
        raise _CannotSay("BFCL's cases of several turns run classes of its own.")
    if not all(isinstance(m.get("content"), str) for m in case.messages):
        raise _CannotSay("BFCL's messages are texts alone.")
    if not isinstance(case.expect, ExpectCalls):
        return None
    if len(case.expect.alternatives) > 1:
        raise _CannotSay("BFCL has one set of calls, and no alternatives to it.")
    calls = case.expect.alternatives[0]
    if case.expect.order == "strict" and len(calls) > 1:
        raise _CannotSay("BFCL does not ask for an order of calls.")
    tools = {tool.name: tool for tool in suite.tools_of(case)}
    default = (case.match or suite.match).kind
    return [_call(call, tools.get(call.name), default) for call in calls]


def _call(call: ExpectedCall, tool: Tool | None, default: str) -> dict[str, Any]:
    if call.ignore_others:
        raise _CannotSay("BFCL cannot let further arguments pass.")
    parts = tool.parameters.get("properties") if tool is not None else None
    schemas = parts if isinstance(parts, dict) else {}
    return {
        call.name: {
            name: _values(name, argument, schemas.get(name), default)
            for name, argument in call.arguments.items()
        }
    }


def _values(name: str, argument: Argument, schema: Any, default: str) -> list[Any]:
    kind = argument.match.kind if argument.match is not None else default
    if argument.ignore:
        raise _CannotSay(f"BFCL cannot ignore an argument ({name}).")
    if kind not in _PLAIN:
        raise _CannotSay(f"BFCL compares by lists of values; {name} is compared as {kind}.")
    more = argument.match.values if isinstance(argument.match, OneOf) else ()
    values = [*argument.values, *more]
    if kind != "allowed":
        values = [listed(value) for value in values]
    spare = isinstance(schema, dict) and "default" in schema and argument.default_ok
    omitted = argument.optional or (spare and schema["default"] in argument.values)
    if omitted and "" not in values:
        values.append("")
    if not values:
        raise _CannotSay(f"BFCL needs an allowed value ({name}).")
    return values


def _function(tool: Tool) -> dict[str, Any]:
    original = tool.original or {}
    try:
        # An original of another origin, such as an MCP server's, is no schema of BFCL's.
        parameters = original if original.get("type") == "dict" else to_bfcl(tool.parameters)
    except NotSaid as reason:
        raise _CannotSay(f"BFCL has one type for a parameter: {reason}.") from None
    return {"name": tool.name, "description": tool.description, "parameters": parameters}
