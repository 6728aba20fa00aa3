"""One line of BFCL as parts of a case: messages, tools, expected calls."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from pydantic import ValidationError

from engine.tools.io.bfcl_types import to_json_schema
from engine.tools.io.problems import ImportProblem
from engine.tools.io.text import Line, refused
from engine.tools.suites import (
    Allowed,
    Argument,
    ExpectAny,
    ExpectCalls,
    ExpectedCall,
    ExpectNone,
    Tool,
)

Place = tuple[Line, str]
Messages = list[dict[str, Any]]
_ID = re.compile(r"(.+?)_\d+(?:-\d+)*")


def category_of(case_id: str) -> str:
    """`live_parallel_multiple_3-2-1` → `live_parallel_multiple`; "" where an id has none."""
    found = _ID.fullmatch(case_id)
    return found[1] if found else ""


def messages_of(question: Any, line: Line, file: str) -> list[Messages]:
    """The turns of a question: each a list of messages."""
    if isinstance(question, str):
        question = [[{"role": "user", "content": question}]]
    turns = question if isinstance(question, list) and question else None
    if turns and all(isinstance(turn, dict) for turn in turns):
        turns = [turns]
    if not turns or not all(_is_turn(turn) for turn in turns) or not turns[0]:
        reason = "question is a list of turns, each a list of messages with role and content."
        raise ImportProblem(line.number, reason, file)
    return turns


def _is_turn(turn: Any) -> bool:
    return isinstance(turn, list) and all(
        isinstance(m, dict) and isinstance(m.get("role"), str) and isinstance(m.get("content"), str)
        for m in turn
    )


def tool_of(function: Any, line: Line, file: str) -> Tool:
    """A function's document as a tool; its own types are kept in `original`."""
    if not isinstance(function, dict):
        raise ImportProblem(line.number, "A function is an object with name and parameters.", file)
    schema = function.get("parameters") or {"type": "dict", "properties": {}}
    if not isinstance(schema, dict):
        raise ImportProblem(line.number, "The parameters of a function are an object.", file)
    simple = to_json_schema(schema)
    try:
        return Tool(
            name=function.get("name", ""),
            description=function.get("description") or "",
            parameters=simple,
            original=None if simple == schema else schema,
        )
    except ValidationError as error:
        raise refused(error, line=line.number, file=file) from None


def answer_of(
    category: str, case_id: str, answer: Place | None, question: Place
) -> ExpectCalls | ExpectAny | ExpectNone:
    """What is expected of a case of one turn."""
    if "irrelevance" in category:
        return ExpectNone()
    if "relevance" in category:
        return ExpectAny()
    if answer is None:
        reason = f"{case_id} has no possible answer; add the file that holds it."
        raise ImportProblem(question[0].number, reason, question[1])
    line, file = answer
    truth = line.value["ground_truth"]
    truth = [truth] if isinstance(truth, dict) else truth
    if not isinstance(truth, list) or not truth:
        raise ImportProblem(line.number, "ground_truth is a list of calls.", file)
    return ExpectCalls(alternatives=(tuple(_call(item, line, file) for item in truth),))


def _call(item: Any, line: Line, file: str) -> ExpectedCall:
    """`{"name": {"argument": [allowed, …]}}`."""
    arguments = next(iter(item.values())) if isinstance(item, dict) and len(item) == 1 else None
    if not isinstance(arguments, dict):
        reason = "A call in ground_truth is an object with one name and its arguments."
        raise ImportProblem(line.number, reason, file)
    for name, values in arguments.items():
        if not isinstance(values, list):
            reason = f"The argument {name!r} in ground_truth is a list of allowed values."
            raise ImportProblem(line.number, reason, file)
    return ExpectedCall(
        name=next(iter(item)),
        arguments={name: argument(values) for name, values in arguments.items()},
    )


def argument(allowed: list[Any]) -> Argument:
    """A list of allowed values, in which "" says that the argument may be left out."""
    values = tuple(value for value in allowed if value != "")
    match = Allowed() if _has_object(values) else None
    return Argument(values=values, optional="" in allowed, match=match)


def _has_object(values: Sequence[Any]) -> bool:
    for value in values:
        if isinstance(value, dict) or (isinstance(value, list) and _has_object(value)):
            return True
    return False
