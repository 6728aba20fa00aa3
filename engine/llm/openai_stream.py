"""OpenAI's format: chat completion chunks, or one whole chat completion."""

from __future__ import annotations

from typing import Any

from engine.llm.answer import CallDelta, Collector, Usage, count


class OpenAIReader:
    """See `chunks.Reader`."""

    def __init__(self) -> None:
        self.answer = Collector()
        self._usage: dict[str, Any] = {}
        self._counted = 0

    def take(self, at_ns: int, chunk: dict[str, Any]) -> None:
        tokens = self._take_usage(chunk)
        for choice in chunk.get("choices") or ():
            if not isinstance(choice, dict) or choice.get("index"):
                continue
            self._take_delta(at_ns, choice.get("delta") or choice.get("message") or {}, tokens)
            if choice.get("finish_reason"):
                self.answer.finish(str(choice["finish_reason"]))

    def usage(self) -> Usage:
        return usage_of(self._usage)

    def _take_usage(self, chunk: dict[str, Any]) -> int | None:
        """Keep the latest usage; returns how many output tokens are new in this chunk."""
        usage = chunk.get("usage")
        if not usage:
            return None
        self._usage = usage
        before, self._counted = self._counted, count(usage.get("completion_tokens")) or 0
        return self._counted - before

    def _take_delta(self, at_ns: int, delta: dict[str, Any], tokens: int | None) -> None:
        answer, content = self.answer, delta.get("content")
        if len(delta) == 1 and type(content) is str:
            # Nearly every chunk of nearly every stream.
            answer.text(at_ns, content, tokens)
            return
        thought = delta.get("reasoning_content") or delta.get("reasoning")
        reasoning = _text_of(thought) + _thinking_in(content)
        text = _text_of(content)
        calls = [_call_delta(call) for call in delta.get("tool_calls") or ()]
        # The chunk's tokens go to what came first in it.
        none = None if tokens is None else 0
        answer.reasoning(at_ns, reasoning, tokens)
        answer.text(at_ns, text, none if reasoning else tokens)
        answer.tool(at_ns, calls, none if reasoning or text else tokens)


def usage_of(usage: dict[str, Any]) -> Usage:
    """OpenAI's usage object; names that servers of the same format use are known too."""
    out_details = usage.get("completion_tokens_details") or {}
    in_details = usage.get("prompt_tokens_details") or {}
    cached = in_details.get("cached_tokens")
    if cached is None:
        cached = usage.get("prompt_cache_hit_tokens")
    return Usage(
        input=count(usage.get("prompt_tokens")),
        output=count(usage.get("completion_tokens")),
        reasoning=count(out_details.get("reasoning_tokens")),
        cached=count(cached),
        cache_write=count(in_details.get("cache_write_tokens")),
    )


def _call_delta(call: dict[str, Any]) -> CallDelta:
    function = call.get("function") or {}
    return CallDelta(
        int(call.get("index") or 0),
        str(call.get("id") or ""),
        str(function.get("name") or ""),
        str(function.get("arguments") or ""),
    )


def _text_of(value: Any) -> str:
    """Content as text; some servers send a list of typed parts."""
    if isinstance(value, list):
        return "".join(str(part.get("text") or "") for part in value if isinstance(part, dict))
    return value if isinstance(value, str) else ""


def _thinking_in(content: Any) -> str:
    """Mistral's reasoning, which comes as typed parts of the content."""
    if not isinstance(content, list):
        return ""
    return "".join(_text_of(part.get("thinking")) for part in content if isinstance(part, dict))
