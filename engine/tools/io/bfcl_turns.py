"""BFCL's cases of several turns: calls as text, turn by turn, and tools from their documents."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from engine.tools.io.bfcl_cases import Messages, Place
from engine.tools.io.call_text import CallText, NotACall, parse_call
from engine.tools.io.problems import ImportProblem
from engine.tools.suites import (
    ROUNDS_MAX,
    Argument,
    Case,
    Chain,
    ExpectCalls,
    ExpectedCall,
    ExpectNone,
    Tool,
    Turn,
)

NOTE = (
    "The classes behind BFCL's cases of several turns are programs, which are never run here: "
    "every tool answers ok, and a turn passes when the calls of its ground truth are made. "
    "Functions that BFCL brings in the middle are on offer from the start."
)
NO_DOCUMENTS = (
    "The functions' documents were not among the files, so their tools have names and arguments "
    "only. Import the files of multi_turn_func_doc together with the questions for the rest."
)
# What BFCL says where a turn brings functions and no question.
_MORE_FUNCTIONS = "I have updated some more functions you can choose from. What about now?"
# Class → the file of its functions' documents.
_DOCUMENTS = {
    "GorillaFileSystem": "gorilla_file_system",
    "MathAPI": "math_api",
    "MessageAPI": "message_api",
    "TwitterAPI": "posting_api",
    "TicketAPI": "ticket_api",
    "TradingBot": "trading_bot",
    "TravelAPI": "travel_booking",
    "VehicleControlAPI": "vehicle_control",
    "WebSearchAPI": "web_search",
    "MemoryAPI_kv": "memory_kv",
    "MemoryAPI_vector": "memory_vector",
    "MemoryAPI_rec_sum": "memory_rec_sum",
}


def has_turns(data: Mapping[str, Any], category: str) -> bool:
    """Whether a question is one of several turns."""
    return "multi_turn" in category or "initial_config" in data or "involved_classes" in data


def case(
    data: Mapping[str, Any],
    turns: list[Messages],
    answer: Place | None,
    documents: Mapping[str, list[Tool]],
    place: Place,
    category: str,
) -> Case:
    """A chain: the first turn is the case's own question. Raises ImportProblem."""
    case_id = str(data["id"])
    if answer is None:
        reason = f"{case_id} has no possible answer; add the file that holds it."
        raise ImportProblem(place[0].number, reason, place[1])
    turns, truth = _all_on_offer(turns, _truth(answer, len(turns)))
    tools = _tools(data, documents, truth)
    order = {tool.name: list(tool.parameters.get("properties", ())) for tool in tools}
    expected = [_expect(calls, order, answer) for calls in truth]
    config = data.get("initial_config")
    return Case(
        id=case_id,
        messages=tuple(turns[0]),
        expect=expected[0],
        chain=Chain(
            turns=tuple(
                Turn(prompt=_said(turn), expect=expect)
                for turn, expect in zip(turns[1:], expected[1:], strict=True)
            ),
            max_rounds=ROUNDS_MAX,
            state=config if isinstance(config, dict) else {},
        ),
        tools=tools,
        category=category,
    )


def _all_on_offer(
    turns: list[Messages], truth: list[list[CallText]]
) -> tuple[list[Messages], list[list[CallText]]]:
    """BFCL keeps functions back and brings them with a turn that asks nothing. Here every tool
    is on offer from the start, so what that turn expects is due in the one before."""
    asked: list[Messages] = []
    due: list[list[CallText]] = []
    for messages, calls in zip(turns, truth, strict=True):
        if not messages and due and not due[-1]:
            due[-1] = calls
        else:
            asked.append(messages)
            due.append(calls)
    return asked, due


def _said(turn: Messages) -> str:
    return "\n\n".join(m["content"] for m in turn if m["content"].strip()) or _MORE_FUNCTIONS


def _truth(answer: Place, turns: int) -> list[list[CallText]]:
    line, file = answer
    listed = line.value["ground_truth"]
    if not isinstance(listed, list) or len(listed) != turns:
        reason = f"ground_truth has one list of calls for each of the {turns} turns."
        raise ImportProblem(line.number, reason, file)
    found: list[list[CallText]] = []
    for calls in listed:
        if not isinstance(calls, list) or not all(isinstance(call, str) for call in calls):
            raise ImportProblem(line.number, "A turn of ground_truth is a list of calls.", file)
        try:
            found.append([parse_call(call) for call in calls])
        except NotACall as error:
            raise ImportProblem(line.number, str(error), file) from None
    return found


def _expect(
    calls: list[CallText], order: Mapping[str, list[str]], answer: Place
) -> ExpectCalls | ExpectNone:
    """No calls in a turn mean that the model has to ask back, or to say that it cannot."""
    if not calls:
        return ExpectNone()
    return ExpectCalls(
        alternatives=(tuple(_call(c, order.get(c.name, []), answer) for c in calls),)
    )


def _call(call: CallText, names: list[str], answer: Place) -> ExpectedCall:
    free = [name for name in names if name not in call.named]
    if len(free) < len(call.positional):
        reason = f"{call.name} is called with more values than it has arguments."
        raise ImportProblem(answer[0].number, reason, answer[1])
    values = dict(zip(free, call.positional, strict=False)) | call.named
    return ExpectedCall(
        name=call.name, arguments={name: Argument(values=(v,)) for name, v in values.items()}
    )


def _tools(
    data: Mapping[str, Any], documents: Mapping[str, list[Tool]], truth: list[list[CallText]]
) -> tuple[Tool, ...]:
    classes = data.get("involved_classes")
    wanted = (
        {_DOCUMENTS.get(str(c), str(c)) for c in classes} if isinstance(classes, list) else None
    )
    found: dict[str, Tool] = {}
    for file, tools in documents.items():
        if wanted is None or file.rpartition(".")[0] in wanted:
            found |= {tool.name: tool for tool in tools}
    left_out = data.get("excluded_function")
    for name in left_out if isinstance(left_out, list) else ():
        found.pop(str(name), None)
    calls = [call for turn in truth for call in turn]
    return (*found.values(), *_made_up(calls, data.get("path"), found))


def _made_up(calls: Iterable[CallText], path: Any, known: Mapping[str, Tool]) -> Iterable[Tool]:
    """Tools that no document describes: named by the path, their arguments by the calls."""
    named = [str(p).rpartition(".")[2] for p in path] if isinstance(path, list) else []
    arguments: dict[str, dict[str, Any]] = {name: {} for name in named}
    for call in calls:
        unnamed: dict[str, Any] = {f"value_{n}": {} for n in range(1, len(call.positional) + 1)}
        arguments.setdefault(call.name, {}).update(unnamed | {name: {} for name in call.named})
    for name, properties in arguments.items():
        if name not in known:
            yield Tool(name=name, parameters={"type": "object", "properties": properties})
