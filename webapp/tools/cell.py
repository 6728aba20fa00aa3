"""One cell, closely: the case, its trials, and what a trial called against what was expected."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from flask import abort

from engine.tools.trials import Trial
from jobs.trials import load_trials
from webapp.models import Eval
from webapp.tools import words
from webapp.tools.cells import CaseRow, Column, Figures

TEXT_MAX = 20_000


class Diff(NamedTuple):
    """An argument as the page shows it; `error` is its class, empty when it fits."""

    name: str
    expected: str
    found: str
    rule: str
    error: str


class DiffGroup(NamedTuple):
    """The arguments of one call."""

    title: str
    rows: list[Diff]


class Message(NamedTuple):
    """A line of the transcript. `kind` is a role; `calls` what an assistant called."""

    kind: str
    text: str
    calls: list[tuple[str, str]]


def case_of(known: Figures, row: Eval, place: int) -> tuple[CaseRow, dict[str, Any]]:
    """The case at a place of the evaluation; 404 where there is none."""
    if not 0 < place <= len(known.cases):
        abort(404)
    case = known.cases[place - 1]
    data = next(one for one in row.suite["cases"] if one["id"] == case.id)
    return case, data


def column_of(known: Figures, number: int) -> Column:
    """The model of a column; 404 where there is none."""
    if not 0 < number <= len(known.columns):
        abort(404)
    return known.columns[number - 1]


def trials_of(row: Eval, case: CaseRow, column: Column) -> list[Trial]:
    """The trials of a cell that have ended, in order."""
    ref = (column.ref.provider, column.ref.model)
    found = [t for t in load_trials(row, cases=[case.id]) if (t.key.provider, t.key.model) == ref]
    return sorted(found, key=lambda trial: trial.key.trial)


def context(row: Eval, case: Mapping[str, Any], trial: Trial | None) -> dict[str, Any]:
    """What the templates of a trial need."""
    tools = case.get("tools") or row.suite.get("tools", [])
    found: dict[str, Any] = {
        "tools_offered": tools,
        "system_prompt": row.suite.get("system_prompt", ""),
        "conversation": case.get("messages") or [{"role": "user", "content": case.get("prompt")}],
        "expected": expectation(case["expect"]),
    }
    if trial is None:
        return found
    transcript = trial.transcript
    rounds = transcript.get("rounds", [])
    return found | {
        "made": [call for one in rounds for call in one.get("calls") or ()],
        "wrote": rounds[-1].get("text", "")[:TEXT_MAX] if rounds else "",
        "groups": diff_groups(trial, transcript),
        "parts": _parts(trial),
        "transcript": [_message(one) for one in transcript.get("messages", ())],
        "request_text": _pretty(_request(row, transcript, tools)),
        "response": _pretty(rounds),
        "rounds": rounds,
        "state": transcript.get("state"),
    }


def diff_groups(trial: Trial, transcript: Mapping[str, Any]) -> list[DiffGroup]:
    """The arguments by call, in the order of the expected calls."""
    if trial.scored is None:
        return []
    groups: dict[int, list[Diff]] = {}
    for diff in trial.scored.diffs:
        groups.setdefault(diff.call, []).append(
            Diff(
                diff.name,
                _values(diff.expected),
                shown(diff.found) if diff.present else "left out",
                diff.rule,
                words.error(diff.error) if diff.error else "",
            )
        )
    several = len(groups) > 1
    return [
        DiffGroup(f"Call {number + 1}" if several else "Arguments", rows)
        for number, rows in sorted(groups.items())
    ]


def expectation(expect: Mapping[str, Any]) -> dict[str, Any]:
    """What was expected: a sentence, and the calls where there are some."""
    said = {
        "none": "No call: the tools do not fit the question.",
        "any": "Some call, whichever.",
        "state": "The mock tools reach this state, by any path.",
    }.get(expect["kind"], "")
    sets = [[_expected_call(call) for call in calls] for calls in expect.get("alternatives") or ()]
    order = "in this order" if expect.get("order") == "strict" else "in any order"
    several = any(len(calls) > 1 for calls in sets)
    return {
        "sentence": said,
        "sets": sets,
        "order": order if several else "",
        "state": _pretty(expect["state"]) if expect["kind"] == "state" else "",
    }


def shown(value: Any) -> str:
    """A value as JSON in one line, cut where it is long."""
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 400 else f"{text[:400]}…"


def call_text(call: Mapping[str, Any]) -> str:
    """ "get_weather(city="Oslo")"; a call that could not be read shows what came."""
    arguments = call.get("arguments")
    if not isinstance(arguments, dict):
        return f"{call.get('name')}({call.get('raw', '')})"
    inside = ", ".join(f"{name}={shown(value)}" for name, value in arguments.items())
    return f"{call.get('name')}({inside})"


def _expected_call(call: Mapping[str, Any]) -> str:
    parts = []
    for name, argument in (call.get("arguments") or {}).items():
        values = argument.get("values") or ()
        text = "anything" if argument.get("ignore") else _values(list(values))
        parts.append(f"{name}{'?' if argument.get('optional') else ''}={text}")
    return f"{call['name']}({', '.join(parts)})"


def _values(values: Any) -> str:
    if isinstance(values, list | tuple):
        return " or ".join(shown(value) for value in values) if values else "–"
    return shown(values)


def _parts(trial: Trial) -> list[tuple[str, float]]:
    """The parts of the score, the overall one last."""
    if trial.scored is None:
        return []
    scores = trial.scored.scores
    named = [(name, scores[name]) for name in scores if name != "overall"]
    return named + [(name, scores[name]) for name in ("overall",) if name in scores]


def _message(message: Mapping[str, Any]) -> Message:
    calls = [
        (item["function"]["name"], str(item["function"].get("arguments", "")))
        for item in message.get("tool_calls") or ()
        if isinstance(item.get("function"), dict)
    ]
    content = message.get("content")
    text = content if isinstance(content, str) else _pretty(content) if content else ""
    return Message(str(message.get("role", "")), text[:TEXT_MAX], calls)


def _request(row: Eval, transcript: Mapping[str, Any], tools: Sequence[Any]) -> dict[str, Any]:
    """The first request as it was sent, put together again from what was kept."""
    messages = transcript.get("messages", [])
    first = next((i for i, one in enumerate(messages) if one.get("role") == "assistant"), None)
    names = set(transcript.get("tools", ()))
    kept = names | set((transcript.get("renamed") or {}).values())
    offered = [tool for tool in tools if tool.get("name") in kept]
    return {**transcript.get("request", {}), "messages": messages[:first], "tools": offered}


def _pretty(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, indent=2)
