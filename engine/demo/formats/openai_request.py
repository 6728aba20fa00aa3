"""Reading an OpenAI chat request: each bad field is refused by name."""

from __future__ import annotations

from typing import Any, Literal

from engine.demo.chat import ChatRequest, Message, Tool
from engine.demo.formats import fields
from engine.demo.formats.fields import bad
from engine.demo.tokens import compact

_ROLES: dict[str, Literal["system", "user", "assistant", "tool"]] = {
    "system": "system",
    "developer": "system",
    "user": "user",
    "assistant": "assistant",
    "tool": "tool",
}


def read_request(body: dict[str, Any]) -> ChatRequest:
    """The request in `body`, or Refused(400) about its first bad field."""
    offered = fields.sequence(body, "tools", fields.MAX_TOOLS)
    tools = tuple(_tool(tool, index) for index, tool in enumerate(offered))
    if fields.integer(body, "n", 1) not in (None, 1):
        raise bad("n", "The demo provider gives one choice only: leave n out or send 1.")
    options = body.get("stream_options")
    stream = fields.flag(body, "stream")
    return ChatRequest(
        model=fields.required_text(body, "model", "the id of a model"),
        messages=tuple(_message(m, i) for i, m in enumerate(fields.turns(body, "messages"))),
        tools=tools,
        tool_choice=_tool_choice(body.get("tool_choice"), tools),
        stream=stream,
        usage_asked=not stream
        or (isinstance(options, dict) and options.get("include_usage") is True),
        max_tokens=_max_tokens(body),
        min_tokens=fields.integer(body, "min_tokens", 0) or 0,
        ignore_eos=fields.flag(body, "ignore_eos"),
        stop=fields.stops(body, "stop"),
        temperature=fields.number(body, "temperature", 2),
        seed=fields.integer(body, "seed", -(2**63)),
    )


def _message(message: Any, index: int) -> Message:
    where = f"messages[{index}]"
    role = message.get("role") if isinstance(message, dict) else None
    if not isinstance(role, str) or role not in _ROLES:
        raise bad(f"{where}.role", f"{where} must be an object with a known role.")
    calls = message.get("tool_calls")
    text = _text(message.get("content"), f"{where}.content", may_be_empty=bool(calls))
    return Message(_ROLES[role], text, compact(calls) if calls else "")


def _text(content: Any, where: str, *, may_be_empty: bool) -> str:
    if isinstance(content, str):
        return content
    if content is None and may_be_empty:
        return ""
    if not isinstance(content, list):
        raise bad(where, f"{where} must be text or a list of text parts.")
    texts = []
    for part in content:
        text = part.get("text") if isinstance(part, dict) else None
        if not isinstance(text, str):
            raise bad(where, f"{where} may hold text parts only: the demo models cannot see.")
        texts.append(text)
    return "".join(texts)


def _tool(tool: Any, index: int) -> Tool:
    function = tool.get("function") if isinstance(tool, dict) else None
    return fields.tool(function, tool, "parameters", f"tools[{index}].function")


def _tool_choice(choice: Any, tools: tuple[Tool, ...]) -> str:
    if choice is None:
        return "auto"
    if isinstance(choice, str) and choice in ("auto", "none", "required"):
        return choice
    function = choice.get("function") if isinstance(choice, dict) else None
    name = function.get("name") if isinstance(function, dict) else None
    if not any(tool.name == name for tool in tools):
        raise bad("tool_choice", "tool_choice must be auto, none, required or a tool on offer.")
    return str(name)


def _max_tokens(body: dict[str, Any]) -> int | None:
    newer = fields.integer(body, "max_completion_tokens", 1)
    return newer if newer is not None else fields.integer(body, "max_tokens", 1)
