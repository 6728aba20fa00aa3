"""Reading an Anthropic Messages request: each bad field is refused by name."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from engine.demo.chat import ChatRequest, Message, Tool
from engine.demo.formats import fields
from engine.demo.formats.fields import bad
from engine.demo.tokens import compact

_CHOICES = {"auto": "auto", "any": "required", "none": "none"}


def read_request(body: dict[str, Any]) -> ChatRequest:
    """The request in `body`, or Refused(400) about its first bad field."""
    offered = fields.sequence(body, "tools", fields.MAX_TOOLS)
    tools = tuple(
        fields.tool(tool, tool, "input_schema", f"tools[{index}]")
        for index, tool in enumerate(offered)
    )
    max_tokens = fields.integer(body, "max_tokens", 1)
    if max_tokens is None:
        raise bad("max_tokens", "max_tokens is required.")
    return ChatRequest(
        model=fields.required_text(body, "model", "the id of a model"),
        messages=(*_system(body.get("system")), *_messages(body)),
        tools=tools,
        tool_choice=_tool_choice(fields.mapping(body, "tool_choice"), tools),
        stream=fields.flag(body, "stream"),
        max_tokens=max_tokens,
        stop=fields.stops(body, "stop_sequences"),
        temperature=fields.number(body, "temperature", 1),
    )


def _system(system: Any) -> Iterator[Message]:
    if system is not None:
        yield Message("system", _text(system, "system"))


def _messages(body: dict[str, Any]) -> Iterator[Message]:
    for index, message in enumerate(fields.turns(body, "messages")):
        where = f"messages[{index}]"
        role = message.get("role") if isinstance(message, dict) else None
        if role not in ("user", "assistant"):
            raise bad(f"{where}.role", f"{where} must have the role user or assistant.")
        content = message.get("content")
        if isinstance(content, str):
            yield Message(role, content)
        else:
            yield from _turn(role, _blocks(content, f"{where}.content"), f"{where}.content")


def _turn(role: Any, blocks: list[dict[str, Any]], where: str) -> Iterator[Message]:
    """The messages in one turn's blocks: what tools answered comes first, as it must."""
    texts, calls, answered = [], [], False
    for index, block in enumerate(blocks):
        here = f"{where}[{index}]"
        match block.get("type"):
            case "text":
                texts.append(_text([block], here))
            case "tool_result":
                yield Message("tool", _text(block.get("content") or "", f"{here}.content"))
                answered = True
            case "tool_use":
                calls.append(block)
            case "thinking" | "redacted_thinking":
                pass
            case _:
                raise bad(here, f"{here} must be text or tools: the demo models cannot see.")
    if texts or calls or not answered:
        yield Message(role, "".join(texts), compact(calls) if calls else "")


def _blocks(content: Any, where: str) -> list[dict[str, Any]]:
    if not isinstance(content, list) or not all(isinstance(block, dict) for block in content):
        raise bad(where, f"{where} must be text or a list of content blocks.")
    return content


def _text(content: Any, where: str) -> str:
    """Text, or the joined text of blocks that are all text."""
    if isinstance(content, str):
        return content
    texts = []
    for block in _blocks(content, where):
        if not isinstance(block.get("text"), str):
            raise bad(where, f"{where} may hold text only.")
        texts.append(block["text"])
    return "".join(texts)


def _tool_choice(choice: dict[str, Any], tools: tuple[Tool, ...]) -> str:
    kind, name = choice.get("type", "auto"), choice.get("name")
    if isinstance(kind, str) and kind in _CHOICES:
        return _CHOICES[kind]
    if kind != "tool" or not any(tool.name == name for tool in tools):
        raise bad("tool_choice", "tool_choice must be auto, any, none or a tool on offer.")
    return str(name)
