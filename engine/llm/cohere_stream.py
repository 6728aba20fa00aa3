"""Cohere's format: the events of a chat (v2), or one whole chat.

LiteLLM's decoder (1.106) stops at the names of the events and looks for finish reason and
usage where they are not, so here is no equal to hold this one to but Cohere's own description.
"""

from __future__ import annotations

from typing import Any

from engine.llm.answer import CallDelta, Collector, Usage, count
from engine.llm.errors import ProviderError

# Why an answer ended, in OpenAI's words; what is not here is a plain stop.
_FINISH = {"MAX_TOKENS": "length", "TOOL_CALL": "tool_calls"}
_FAILED = {"ERROR": "server", "TIMEOUT": "timeout"}


class CohereReader:
    """See `chunks.Reader`."""

    def __init__(self) -> None:
        self.answer = Collector()
        self._usage: dict[str, Any] = {}

    def take(self, at_ns: int, chunk: dict[str, Any]) -> None:
        kind, delta = chunk.get("type"), chunk.get("delta") or {}
        message = delta.get("message") or {}
        if kind in ("content-delta", "content-start"):
            self._take_content(at_ns, message.get("content") or {})
        elif kind == "tool-plan-delta":
            self.answer.reasoning(at_ns, message.get("tool_plan"))
        elif kind in ("tool-call-start", "tool-call-delta"):
            number = int(chunk.get("index") or 0)
            self.answer.tool(at_ns, (_call_delta(number, message.get("tool_calls") or {}),))
        elif kind == "message-end":
            self._end(delta)
        elif "message" in chunk:
            self._take_whole(at_ns, chunk)

    def usage(self) -> Usage:
        return usage_of(self._usage)

    def _take_content(self, at_ns: int, content: dict[str, Any]) -> None:
        self.answer.reasoning(at_ns, content.get("thinking"))
        self.answer.text(at_ns, content.get("text"))

    def _take_whole(self, at_ns: int, chat: dict[str, Any]) -> None:
        message = chat["message"]
        self.answer.reasoning(at_ns, message.get("tool_plan"))
        for content in message.get("content") or ():
            self._take_content(at_ns, content)
        calls = enumerate(message.get("tool_calls") or ())
        self.answer.tool(at_ns, [_call_delta(number, call) for number, call in calls])
        self._end(chat)

    def _end(self, said: dict[str, Any]) -> None:
        self._usage = said.get("usage") or {}
        reason = str(said.get("finish_reason") or "")
        if reason in _FAILED:
            text = said.get("error") or "no reason given"
            self.answer.error = ProviderError(
                _FAILED[reason], f"The provider ended the answer with an error: {text}."
            )
        elif reason:
            self.answer.finish(_FINISH.get(reason, "stop"))


def usage_of(usage: dict[str, Any]) -> Usage:
    """Cohere's usage: what is billed, which leaves out the prompt that Cohere itself puts
    around the user's; all tokens where that is not said."""
    counts = usage.get("billed_units") or usage.get("tokens") or {}
    return Usage(
        input=_whole(counts.get("input_tokens")),
        output=_whole(counts.get("output_tokens")),
        cached=_whole(usage.get("cached_tokens")),
    )


def _whole(value: Any) -> int | None:
    """Cohere's counts are JSON numbers that may be written with a fraction of 0."""
    return count(int(value) if isinstance(value, float) and value.is_integer() else value)


def _call_delta(number: int, call: dict[str, Any]) -> CallDelta:
    function = call.get("function") or {}
    return CallDelta(
        number,
        str(call.get("id") or ""),
        str(function.get("name") or ""),
        str(function.get("arguments") or ""),
    )
