"""Anthropic's format: the events of a message, or one whole message."""

from __future__ import annotations

import json
from typing import Any

from engine.llm.answer import CallDelta, Collector, Usage, count

# Why an answer ended, in OpenAI's words; what is not here is a plain stop.
_FINISH = {
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
    "compaction": "length",
    "tool_use": "tool_calls",
    "refusal": "content_filter",
}
_TOOLS = frozenset({"tool_use", "server_tool_use"})


class AnthropicReader:
    """See `chunks.Reader`."""

    def __init__(self) -> None:
        self.answer = Collector()
        self._counts: dict[str, Any] = {}
        self._block = ""
        self._tools = 0
        self._empty_call = False

    def take(self, at_ns: int, chunk: dict[str, Any]) -> None:
        kind = chunk.get("type")
        if kind == "content_block_delta":
            self._take_delta(at_ns, chunk.get("delta") or {})
        elif kind == "content_block_start":
            self._start(at_ns, chunk.get("content_block") or {})
        elif kind == "content_block_stop":
            self._stop()
        elif kind == "message_start":
            self._count((chunk.get("message") or {}).get("usage"), with_output=False)
        elif kind == "message_delta":
            self._end((chunk.get("delta") or {}).get("stop_reason"))
            self._count(chunk.get("usage"))
        elif kind == "message_stop":
            self.answer.finished = True
        elif kind == "message":
            self._take_whole(at_ns, chunk)

    def usage(self) -> Usage:
        return usage_of(self._counts)

    def _take_delta(self, at_ns: int, delta: dict[str, Any]) -> None:
        kind = delta.get("type")
        if kind == "text_delta":
            self.answer.text(at_ns, delta.get("text"))
        elif kind == "thinking_delta":
            self.answer.reasoning(at_ns, delta.get("thinking"))
        elif kind == "input_json_delta" and self._block in _TOOLS:
            piece = str(delta.get("partial_json") or "")
            self._empty_call = self._empty_call and not piece
            self.answer.tool(at_ns, (CallDelta(self._tools - 1, "", "", piece),))

    def _start(self, at_ns: int, block: dict[str, Any]) -> None:
        self._block = str(block.get("type"))
        if self._block == "text":
            self.answer.text(at_ns, block.get("text"))
        elif self._block == "thinking":
            self.answer.reasoning(at_ns, block.get("thinking"))
        elif self._block in _TOOLS:
            name, call_id = str(block.get("name") or ""), str(block.get("id") or "")
            self.answer.tool(at_ns, (CallDelta(self._tools, call_id, name, ""),))
            self._tools += 1
            self._empty_call = True

    def _stop(self) -> None:
        if self._block in _TOOLS and self._empty_call:
            # A call without arguments is written as nothing at all, and means an empty object.
            self.answer.calls.append(CallDelta(self._tools - 1, "", "", "{}"))
        self._block = ""

    def _take_whole(self, at_ns: int, message: dict[str, Any]) -> None:
        for block in message.get("content") or ():
            self._start(at_ns, block)
            if self._block in _TOOLS:
                arguments = json.dumps(block.get("input") or {}, ensure_ascii=False)
                self.answer.tool(at_ns, (CallDelta(self._tools - 1, "", "", arguments),))
        self._end(message.get("stop_reason"))
        self._count(message.get("usage"))

    def _end(self, reason: Any) -> None:
        if reason:
            self.answer.finish(_FINISH.get(reason, "stop"))

    def _count(self, usage: dict[str, Any] | None, *, with_output: bool = True) -> None:
        """Keep the latest of each count. At the start of a message its output is a
        placeholder, which would stand for the whole answer if the stream was cut."""
        if usage:
            known = {k: v for k, v in usage.items() if v is not None}
            if not with_output:
                known.pop("output_tokens", None)
            self._counts.update(known)


def usage_of(usage: dict[str, Any]) -> Usage:
    """Anthropic's usage object, whose `input_tokens` are those that no cache had to do with."""
    uncached, cached = count(usage.get("input_tokens")), count(usage.get("cache_read_input_tokens"))
    written = count(usage.get("cache_creation_input_tokens"))
    lasting = (usage.get("cache_creation") or {}).get("ephemeral_1h_input_tokens")
    thought = (usage.get("output_tokens_details") or {}).get("thinking_tokens")
    return Usage(
        input=None if uncached is None else uncached + (cached or 0) + (written or 0),
        output=count(usage.get("output_tokens")),
        reasoning=count(thought),
        cached=cached,
        cache_write=written,
        cache_write_1h=count(lasting),
    )
