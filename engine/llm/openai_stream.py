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
        tokens = self._take_usage(chunk.get("usage") or chunk.get("x_groq"))
        for choice in chunk.get("choices") or ():
            if not isinstance(choice, dict) or choice.get("index"):
                continue
            if "usage" in choice:
                # Moonshot's place for it.
                tokens = self._take_usage(choice["usage"])
            self._take_delta(at_ns, choice.get("delta") or choice.get("message") or {}, tokens)
            if choice.get("finish_reason"):
                self.answer.finish(str(choice["finish_reason"]))

    def usage(self) -> Usage:
        return usage_of(self._usage)

    def _take_usage(self, usage: dict[str, Any] | None) -> int | None:
        """Keep the latest usage (Groq wraps it once more); returns how many output tokens are
        new in this chunk."""
        usage = (usage or {}).get("usage") or usage
        if not usage or "prompt_tokens" not in usage:
            return None
        self._usage = usage
        before, self._counted = self._counted, usage_of(usage).output or 0
        return max(0, self._counted - before)

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
    prompt, said = count(usage.get("prompt_tokens")), count(usage.get("completion_tokens"))
    out_details = usage.get("completion_tokens_details") or {}
    in_details = usage.get("prompt_tokens_details") or {}
    cached = in_details.get("cached_tokens")
    if cached is None:
        cached = usage.get("prompt_cache_hit_tokens")
    thought = count(out_details.get("reasoning_tokens"))
    return Usage(
        input=prompt,
        output=_output(prompt, said, thought, count(usage.get("total_tokens"))),
        reasoning=thought,
        cached=count(cached),
        cache_write=count(in_details.get("cache_write_tokens")),
    )


def _output(
    prompt: int | None, said: int | None, thought: int | None, total: int | None
) -> int | None:
    """All output. OpenAI's completion tokens hold the reasoning; xAI's do not, which its
    total tells, or a reasoning that would not fit into them."""
    if said is None or not thought:
        return said
    apart = total is not None and prompt is not None and total == prompt + said + thought
    return said + thought if apart or thought > said else said


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
