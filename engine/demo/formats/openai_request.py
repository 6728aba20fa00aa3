"""Reading an OpenAI chat request: each bad field is refused by name."""

from __future__ import annotations

from typing import Any, Literal

from engine.demo.chat import ChatRequest, Message, Refused, Tool
from engine.demo.tokens import compact

_ROLES: dict[str, Literal["system", "user", "assistant", "tool"]] = {
    "system": "system",
    "developer": "system",
    "user": "user",
    "assistant": "assistant",
    "tool": "tool",
}
_MAX_TOOLS = 128
_MAX_STOPS = 16


def read_request(body: dict[str, Any]) -> ChatRequest:
    """The request in `body`, or Refused(400) about its first bad field."""
    tools = tuple(_tool(tool, i) for i, tool in enumerate(_list(body, "tools", _MAX_TOOLS)))
    if _integer(body, "n", 1) not in (None, 1):
        raise _bad("n", "The demo provider gives one choice only: leave n out or send 1.")
    options = body.get("stream_options")
    return ChatRequest(
        model=_model(body),
        messages=_messages(body),
        tools=tools,
        tool_choice=_tool_choice(body.get("tool_choice"), tools),
        stream=_flag(body, "stream"),
        usage_asked=not _flag(body, "stream")
        or (isinstance(options, dict) and options.get("include_usage") is True),
        max_tokens=_max_tokens(body),
        min_tokens=_integer(body, "min_tokens", 0) or 0,
        ignore_eos=_flag(body, "ignore_eos"),
        stop=_stop(body.get("stop")),
        temperature=_temperature(body.get("temperature")),
        seed=_integer(body, "seed", -(2**63)),
    )


def _bad(param: str, message: str) -> Refused:
    return Refused(400, "invalid_value", message, param)


def _model(body: dict[str, Any]) -> str:
    model = body.get("model")
    if not isinstance(model, str) or not model:
        raise _bad("model", "model must be the id of a model, as text.")
    return model


def _messages(body: dict[str, Any]) -> tuple[Message, ...]:
    messages = body.get("messages")
    if not isinstance(messages, list) or not messages:
        raise _bad("messages", "messages must be a list with at least one message.")
    return tuple(_message(message, i) for i, message in enumerate(messages))


def _message(message: Any, index: int) -> Message:
    where = f"messages[{index}]"
    role = message.get("role") if isinstance(message, dict) else None
    if not isinstance(role, str) or role not in _ROLES:
        raise _bad(f"{where}.role", f"{where} must be an object with a known role.")
    calls = message.get("tool_calls")
    text = _text(message.get("content"), f"{where}.content", may_be_empty=bool(calls))
    return Message(_ROLES[role], text, compact(calls) if calls else "")


def _text(content: Any, where: str, *, may_be_empty: bool) -> str:
    if isinstance(content, str):
        return content
    if content is None and may_be_empty:
        return ""
    if not isinstance(content, list):
        raise _bad(where, f"{where} must be text or a list of text parts.")
    texts = []
    for part in content:
        text = part.get("text") if isinstance(part, dict) else None
        if not isinstance(text, str):
            raise _bad(where, f"{where} may hold text parts only: the demo models cannot see.")
        texts.append(text)
    return "".join(texts)


def _tool(tool: Any, index: int) -> Tool:
    where = f"tools[{index}]"
    function = tool.get("function") if isinstance(tool, dict) else None
    name = function.get("name") if isinstance(function, dict) else None
    if not isinstance(function, dict) or not isinstance(name, str) or not name:
        raise _bad(f"{where}.function.name", f"{where} must be a function with a name.")
    parameters = function.get("parameters")
    if parameters is not None and not isinstance(parameters, dict):
        raise _bad(f"{where}.function.parameters", f"{where}: parameters must be a JSON Schema.")
    description = function.get("description")
    return Tool(name, description if isinstance(description, str) else "", parameters or {}, tool)


def _tool_choice(choice: Any, tools: tuple[Tool, ...]) -> str:
    if choice is None:
        return "auto"
    if isinstance(choice, str) and choice in ("auto", "none", "required"):
        return choice
    function = choice.get("function") if isinstance(choice, dict) else None
    name = function.get("name") if isinstance(function, dict) else None
    if not any(tool.name == name for tool in tools):
        raise _bad("tool_choice", "tool_choice must be auto, none, required or a tool on offer.")
    return str(name)


def _max_tokens(body: dict[str, Any]) -> int | None:
    newer = _integer(body, "max_completion_tokens", 1)
    return newer if newer is not None else _integer(body, "max_tokens", 1)


def _stop(value: Any) -> tuple[str, ...]:
    stops = [value] if isinstance(value, str) else [] if value is None else value
    texts = isinstance(stops, list) and all(isinstance(stop, str) and stop for stop in stops)
    if not texts or len(stops) > _MAX_STOPS:
        raise _bad("stop", f"stop must be text or a list of up to {_MAX_STOPS} texts.")
    return tuple(stops)


def _temperature(value: Any) -> float | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 2:
        raise _bad("temperature", "temperature must be a number from 0 to 2.")
    return float(value)


def _integer(body: dict[str, Any], name: str, low: int) -> int | None:
    value = body.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int) or value < low:
        raise _bad(name, f"{name} must be a whole number of at least {low}.")
    return value


def _flag(body: dict[str, Any], name: str) -> bool:
    value = body.get(name)
    if value is not None and not isinstance(value, bool):
        raise _bad(name, f"{name} must be true or false.")
    return value is True


def _list(body: dict[str, Any], name: str, most: int) -> list[Any]:
    value = body.get(name)
    if value is None:
        return []
    if not isinstance(value, list) or len(value) > most:
        raise _bad(name, f"{name} must be a list of at most {most}.")
    return value
