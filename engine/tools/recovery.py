"""Calls that a model wrote as plain text, where its server did not make calls of them.

What counts: JSON objects with a name and arguments (alone, in a code block, in a sentence),
the tags of the usual chat templates, and Python's `[name(argument=value)]`. Without a tag
the name must be one of a tool on offer, so that an answer about JSON is not taken for one.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator
from typing import Any

from engine.tools.answers import Call
from engine.tools.arguments import read_arguments, read_json
from engine.tools.pythonic import read_python_calls

Found = tuple[Call, ...]

_LONGEST = 200_000
_PLACES_MAX = 50
_FENCE = re.compile(r"```[\w-]*\s*\n?(.*?)(?:```|\Z)", re.DOTALL)
_TAGS = re.compile(
    r"<(tool_call|function_call|toolcall|tool_calls)>(.*?)(?:</\1>|\Z)"
    r"|<\|(?:tool_call|python_tag)\|>(.*?)(?:<\|/?(?:tool_call|eom_id|eot_id)\|>|\Z)"
    r"|\[TOOL_CALLS\](.*)\Z",
    re.DOTALL,
)
_NAMED_TAG = re.compile(r"<function=([^>\s]+)>(.*?)(?:</function>|\Z)", re.DOTALL)
_PARAMETER = re.compile(r"<parameter=([^>\s]+)>\n?(.*?)\n?</parameter>", re.DOTALL)
_PYTHON = re.compile(r"\[\s*[A-Za-z_][\w.]*\(")
_ARGUMENTS = ("arguments", "parameters", "args", "input")
_NAMES = ("name", "function", "tool", "tool_name")


def recover(text: str, names: Collection[str]) -> Found | None:
    """The calls in `text`: () when nothing looks like one, None when something does (a tag
    of a call) and cannot be read."""
    text = text[:_LONGEST]
    tagged = _tagged(text)
    if tagged != ():
        return tagged
    pieces = [text, *(match[1] for match in _FENCE.finditer(text))]
    for piece in pieces:
        calls = _calls_in(piece.strip())
        if calls and all(call.name in names for call in calls):
            return calls
    return tuple(call for call in _embedded(text) if call.name in names)


def _tagged(text: str) -> Found | None:
    calls: list[Call] = []
    bodies = [
        "".join(group or "" for group in match.groups()[1:]) for match in _TAGS.finditer(text)
    ]
    if not bodies:
        return tuple(_named_tags(text))
    for body in bodies:
        found = tuple(_named_tags(body)) or _calls_in(_bare(body))
        if not found:
            return None
        calls += found
    return tuple(calls)


def _bare(body: str) -> str:
    """A tag's content without a code block around it."""
    fenced = _FENCE.fullmatch(body.strip())
    return (fenced[1] if fenced else body).strip()


def _named_tags(text: str) -> Iterator[Call]:
    """`<function=name>…</function>` with JSON or one tag a parameter inside."""
    for name, body in _NAMED_TAG.findall(text):
        parameters = _PARAMETER.findall(body)
        if parameters:
            yield Call(name, {key: _value(value) for key, value in parameters}, body)
        else:
            yield Call(name, read_arguments(body), body)


def _value(text: str) -> Any:
    """A parameter's text: JSON where it is JSON, else as it stands."""
    found = read_json(text)
    return text if found is None and text.strip() != "null" else found


def _calls_in(piece: str) -> Found:
    """The calls that make up all of `piece`: JSON or Python."""
    if piece[:1] in ("{", "["):
        try:
            calls = tuple(_calls_of(json.loads(piece)))
        except (ValueError, RecursionError):
            calls = ()
        if calls:
            return calls
    written = read_python_calls(piece)
    return tuple(Call(name, arguments, piece) for name, arguments in written or ())


def _calls_of(data: Any) -> Iterator[Call]:
    for item in data if isinstance(data, list) else (data,):
        if not isinstance(item, dict):
            return
        if isinstance(item.get("tool_calls"), list):
            yield from _calls_of(item["tool_calls"])
        elif call := _call_of(item):
            yield call


def _call_of(item: dict[str, Any]) -> Call | None:
    if isinstance(item.get("function"), dict):
        item = item["function"]
    name = next((item[key] for key in _NAMES if isinstance(item.get(key), str)), None)
    key = next((key for key in _ARGUMENTS if key in item), None)
    if name is None or key is None:
        return None
    given = item[key]
    raw = given if isinstance(given, str) else json.dumps(given, ensure_ascii=False)
    return Call(name, read_arguments(raw), raw)


def _embedded(text: str) -> Iterator[Call]:
    """JSON objects and Python lists of calls inside prose."""
    decoder, end = json.JSONDecoder(), 0
    for place, start in enumerate(match.start() for match in re.finditer(r"\{", text)):
        if place >= _PLACES_MAX:
            break
        if start < end:
            continue
        try:
            found, end = decoder.raw_decode(text, start)
        except (ValueError, RecursionError):
            continue
        yield from _calls_of(found)
    for match in list(_PYTHON.finditer(text))[:_PLACES_MAX]:
        closing = text.find(")]", match.start())
        written = read_python_calls(text[match.start() : closing + 2]) if closing >= 0 else None
        for name, arguments in written or ():
            yield Call(name, arguments, text[match.start() : closing + 2])
