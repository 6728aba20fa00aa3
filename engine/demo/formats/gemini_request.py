"""Reading a Gemini generateContent request: each bad field is refused by name.

Google takes every field in camelCase and in snake_case, and so does this.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Literal
from urllib.parse import parse_qs, unquote

from engine.demo.chat import ChatRequest, Message, Refused, Tool
from engine.demo.formats import fields
from engine.demo.formats.fields import bad
from engine.demo.tokens import compact

PATH = re.compile(r"/v1(?:beta)?/models/([^/]+):(generateContent|streamGenerateContent)")
_ROLES: dict[Any, Literal["user", "assistant", "tool"]] = {
    None: "user",
    "user": "user",
    "model": "assistant",
    "function": "tool",
}
_MODES = {"AUTO": "auto", "ANY": "required", "NONE": "none", "MODE_UNSPECIFIED": "auto"}
_SNAKE = re.compile(r"_([a-z])")


def read_request(target: str, body: dict[str, Any]) -> ChatRequest:
    """The request in `target` (model and method) and `body`, or Refused(400) about its
    first bad field."""
    model, stream = _asked(target)
    body = _camel(body)
    config = _camel(fields.mapping(body, "generationConfig"))
    tools = tuple(_tools(body))
    if fields.integer(config, "candidateCount", 1) not in (None, 1):
        raise bad("candidateCount", "The demo provider gives one candidate only: send 1.")
    return ChatRequest(
        model=model,
        messages=(*_system(body), *_messages(body)),
        tools=tools,
        tool_choice=_tool_choice(body, tools),
        stream=stream,
        max_tokens=fields.integer(config, "maxOutputTokens", 1),
        stop=fields.stops(config, "stopSequences"),
        temperature=fields.number(config, "temperature", 2),
        seed=fields.integer(config, "seed", -(2**63)),
    )


def _camel(named: dict[str, Any]) -> dict[str, Any]:
    """An object with its own fields in camelCase, whichever way they were written."""
    return {_SNAKE.sub(lambda found: found[1].upper(), name): named[name] for name in named}


def _asked(target: str) -> tuple[str, bool]:
    path, _, query = target.partition("?")
    found = PATH.fullmatch(path)
    if found is None:
        raise Refused(404, "not_found", f"The demo provider has no page {path}.")
    stream = found[2] == "streamGenerateContent"
    if stream and parse_qs(query).get("alt") != ["sse"]:
        raise bad("alt", "The demo provider streams server-sent events only: add ?alt=sse.")
    return unquote(found[1]), stream


def _system(body: dict[str, Any]) -> Iterator[Message]:
    if instruction := fields.mapping(body, "systemInstruction"):
        for message in _turn("user", instruction, "systemInstruction"):
            yield message._replace(role="system")


def _messages(body: dict[str, Any]) -> Iterator[Message]:
    for index, content in enumerate(fields.turns(body, "contents")):
        where = f"contents[{index}]"
        if not isinstance(content, dict) or content.get("role") not in _ROLES:
            raise bad(f"{where}.role", f"{where} must have the role user or model.")
        yield from _turn(_ROLES[content.get("role")], content, where)


def _turn(
    role: Literal["user", "assistant", "tool"], content: dict[str, Any], where: str
) -> list[Message]:
    """The messages in one content: what functions answered comes first."""
    parts = content.get("parts")
    if not isinstance(parts, list) or not all(isinstance(part, dict) for part in parts):
        raise bad(f"{where}.parts", f"{where}.parts must be a list of parts.")
    messages: list[Message] = []
    texts, calls = [], []
    for index, part in enumerate(map(_camel, parts)):
        here = f"{where}.parts[{index}]"
        if isinstance(part.get("text"), str):
            texts.append("" if part.get("thought") is True else part["text"])
        elif call := fields.mapping(part, "functionCall"):
            calls.append(call)
        elif answer := fields.mapping(part, "functionResponse"):
            messages.append(Message("tool", compact(answer.get("response") or {})))
        else:
            raise bad(here, f"{here} must be text or a function: the demo models cannot see.")
    if texts or calls or not messages:
        messages.append(Message(role, "".join(texts), compact(calls) if calls else ""))
    return messages


def _tools(body: dict[str, Any]) -> Iterator[Tool]:
    for index, group in enumerate(fields.sequence(body, "tools", fields.MAX_TOOLS)):
        where = f"tools[{index}]"
        if not isinstance(group, dict):
            raise bad(where, f"{where} must be an object with functionDeclarations.")
        listed = fields.sequence(_camel(group), "functionDeclarations", fields.MAX_TOOLS)
        for number, function in enumerate(listed):
            here = f"{where}.functionDeclarations[{number}]"
            known = _camel(function) if isinstance(function, dict) else {}
            schema = "parametersJsonSchema" if known.get("parametersJsonSchema") else "parameters"
            yield fields.tool(known, function, schema, here)


def _tool_choice(body: dict[str, Any], tools: tuple[Tool, ...]) -> str:
    config = _camel(fields.mapping(body, "toolConfig"))
    choice = _camel(fields.mapping(config, "functionCallingConfig"))
    mode, allowed = choice.get("mode", "AUTO"), choice.get("allowedFunctionNames", [])
    if not isinstance(mode, str) or mode not in _MODES:
        raise bad("toolConfig", "The mode of functionCallingConfig must be AUTO, ANY or NONE.")
    if mode != "ANY" or not allowed:
        return _MODES[mode]
    names = {tool.name for tool in tools}
    if not isinstance(allowed, list) or not all(name in names for name in allowed):
        raise bad("toolConfig", "allowedFunctionNames must be functions on offer.")
    return str(allowed[0]) if len(allowed) == 1 else "required"
