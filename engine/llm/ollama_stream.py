"""Ollama's format: one JSON object a line, of its chat or of its completion."""

from __future__ import annotations

import json
from typing import Any

from engine.llm.answer import CallDelta, Collector, Usage, count

_OPEN, _CLOSE = "<think>", "</think>"
# Why an answer ended, in OpenAI's words; what is not here is a plain stop.
_FINISH = {"length": "length"}


class OllamaReader:
    """See `chunks.Reader`. Older models write their thoughts into the text, between tags that
    are pieces of their own."""

    def __init__(self) -> None:
        self.answer = Collector()
        self._last: dict[str, Any] = {}
        self._thinking = False
        self._tools = 0

    def take(self, at_ns: int, chunk: dict[str, Any]) -> None:
        message = chunk.get("message") or chunk
        self.answer.reasoning(at_ns, message.get("thinking"))
        self._take_text(at_ns, message.get("content") or message.get("response") or "")
        calls = [self._call(call) for call in message.get("tool_calls") or ()]
        self.answer.tool(at_ns, calls)
        if chunk.get("done"):
            self._last = chunk
            finish = _FINISH.get(str(chunk.get("done_reason")), "stop")
            self.answer.finish("tool_calls" if self._tools else finish)

    def usage(self) -> Usage:
        """A prompt that was wholly cached is not counted at all."""
        return Usage(
            count(self._last.get("prompt_eval_count")), count(self._last.get("eval_count"))
        )

    def _take_text(self, at_ns: int, piece: str) -> None:
        if _OPEN in piece:
            piece, self._thinking = piece.replace(_OPEN, ""), True
        if self._thinking and _CLOSE in piece:
            piece, self._thinking = piece.replace(_CLOSE, ""), False
        if self._thinking:
            self.answer.reasoning(at_ns, piece)
        else:
            self.answer.text(at_ns, piece)

    def _call(self, call: dict[str, Any]) -> CallDelta:
        """A call, which comes whole and mostly without an id."""
        number, self._tools = self._tools, self._tools + 1
        function = call.get("function") or {}
        arguments = json.dumps(function.get("arguments") or {}, ensure_ascii=False)
        call_id = str(call.get("id") or f"call_{number}")
        return CallDelta(number, call_id, str(function.get("name") or ""), arguments)
