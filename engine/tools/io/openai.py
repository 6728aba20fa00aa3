"""OpenAI's tools as JSON: a list of tools, or a request body with tools and messages."""

from __future__ import annotations

import json
from typing import Any

from pydantic import ValidationError

from engine.tools.io.problems import Exported, Imported, ImportProblem, LeftOut, Source
from engine.tools.io.text import decoded, json_document, line_of, refused
from engine.tools.suites import Case, ExpectAny, Suite, Tool

KEY = "openai"
LABEL = "OpenAI tools (JSON)"
_NO_EXPECTATION = (
    "The request became a case that passes with any call, for a request says nothing about "
    "which call is right. Open the case and say what is expected."
)


def fits(value: Any) -> bool:
    """Whether a document is of this format."""
    tools = value.get("tools") if isinstance(value, dict) else value
    return isinstance(tools, list) and bool(tools) and all(_is_tool(tool) for tool in tools)


def _is_tool(tool: Any) -> bool:
    if not isinstance(tool, dict):
        return False
    return isinstance(tool.get("function"), dict) or (
        tool.get("type", "function") == "function" and isinstance(tool.get("name"), str)
    )


def read(sources: list[Source], name: str) -> Imported:
    """A suite of the tools in the one file, with a case where messages are given, too.
    Raises ImportProblem."""
    if len(sources) > 1:
        raise ImportProblem(None, "Tools of OpenAI's format are one file; import one at a time.")
    source = sources[0]
    text = decoded(source)
    data = json_document(text, source.name)
    if not fits(data):
        raise ImportProblem(1, "There is no list of function tools here.", source.name)
    body = data if isinstance(data, dict) else {"tools": data}
    tools = _tools(body["tools"], text, isinstance(data, dict), source.name)
    system, case = _case(body.get("messages"), text, source.name)
    fields = {
        "name": name or "Imported tools",
        "tools": tools,
        "system_prompt": system,
        "cases": (case,) if case else (),
    }
    try:
        suite = Suite.model_validate(fields)
    except ValidationError as error:
        raise refused(error, text=text, file=source.name) from None
    return Imported(
        suite,
        KEY,
        (_NO_EXPECTATION,) if case else (),
        lambda path: (line_of(text, path if isinstance(data, dict) else path[1:]), source.name),
    )


def _tools(listed: list[dict[str, Any]], text: str, in_body: bool, file: str) -> tuple[Tool, ...]:
    found: dict[str, Tool] = {}
    path: list[str | int]
    for index, data in enumerate(listed):
        function = data["function"] if isinstance(data.get("function"), dict) else data
        path = ["tools", index] if in_body else [index]
        try:
            tool = Tool.model_validate({k: function[k] for k in _FIELDS if function.get(k)})
        except ValidationError as error:
            raise refused(error, line=line_of(text, path), file=file) from None
        if tool.name in found:
            reason = f"tools: {tool.name!r} stands there twice; rename or remove one."
            raise ImportProblem(line_of(text, path), reason, file)
        found[tool.name] = tool
    return tuple(found.values())


_FIELDS = ("name", "description", "parameters", "strict")


def _case(messages: Any, text: str, file: str) -> tuple[str, Case | None]:
    """The system prompt and the conversation of a request."""
    if not messages:
        return "", None
    if not isinstance(messages, list) or not all(isinstance(m, dict) for m in messages):
        raise ImportProblem(
            line_of(text, ["messages"]),
            "messages is a list of objects with role and content.",
            file,
        )
    first = messages[0]
    system = first.get("content") if first.get("role") in ("system", "developer") else None
    rest = messages[1:] if isinstance(system, str) else messages
    if not rest:
        return str(system or ""), None
    try:
        case = Case(id="request-1", messages=tuple(rest), expect=ExpectAny())
    except ValidationError as error:
        raise refused(error, line=line_of(text, ["messages"]), file=file) from None
    return system if isinstance(system, str) else "", case


def write(suite: Suite) -> Exported:
    """The tools of the suite and of its cases as OpenAI takes them; cases are not part of this
    format. Of tools that share a name the first is written, and the others are listed."""
    tools: dict[str, Tool] = {}
    left_out: list[LeftOut] = []
    offers = [("the suite", suite.tools), *((c.id, c.tools or ()) for c in suite.cases)]
    for owner, offered in offers:
        for tool in offered:
            if tools.setdefault(tool.name, tool).as_openai() != tool.as_openai():
                reason = f"its tool {tool.name!r} is another one than the first of that name."
                left_out.append(LeftOut(owner, reason))
    if not tools:
        return Exported({})
    listed = [tool.as_openai() for tool in tools.values()]
    text = json.dumps(listed, ensure_ascii=False, indent=2) + "\n"
    return Exported({"tools.json": text}, tuple(left_out))
