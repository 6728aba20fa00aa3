"""OpenAI's format: chat completion chunks, or one whole chat completion."""

from __future__ import annotations

from typing import Any

from engine.llm.answer import CallDelta, Collector, Usage, count


class OpenAIReader:
    """See `chunks.Reader`."""

    def __init__(self) -> None:
        self.answer = Collector()
        self._usage: dict[str, Any] = {}
        # Tokens of answer and of thought that were counted, and those that events carried.
        self._said = self._thought = self._said_before = self._thought_before = 0

    def take(self, at_ns: int, chunk: dict[str, Any]) -> None:
        told = self._take_usage(chunk.get("usage") or chunk.get("x_groq"))
        for choice in chunk.get("choices") or ():
            if not isinstance(choice, dict) or choice.get("index"):
                continue
            if "usage" in choice:
                # Moonshot's place for it.
                told = self._take_usage(choice["usage"])
            self._take_delta(at_ns, choice.get("delta") or choice.get("message") or {}, told)
            if choice.get("finish_reason"):
                self.answer.finish(str(choice["finish_reason"]))

    def usage(self) -> Usage:
        return usage_of(self._usage)

    def _take_usage(self, usage: dict[str, Any] | None) -> bool:
        """Keep the latest usage (Groq wraps it once more); whether there is one."""
        usage = (usage or {}).get("usage") or usage
        if not usage or "prompt_tokens" not in usage:
            return False
        self._usage, counts = usage, usage_of(usage)
        self._thought = counts.reasoning or 0
        self._said = (counts.output or 0) - self._thought
        return True

    def _take_delta(self, at_ns: int, delta: dict[str, Any], told: bool) -> None:
        answer, content = self.answer, delta.get("content")
        if len(delta) == 1 and type(content) is str:
            # Nearly every chunk of nearly every stream.
            answer.text(at_ns, content, self._new_said() if told and content else None)
            return
        thought = delta.get("reasoning_content") or delta.get("reasoning")
        reasoning = _text_of(thought) + _thinking_in(content)
        text = _text_of(content)
        calls = [_call_delta(call) for call in delta.get("tool_calls") or ()]
        # The chunk's tokens go to what came first in it.
        if reasoning:
            answer.reasoning(at_ns, reasoning, self._new_thought() if told else None)
        if text:
            answer.text(at_ns, text, self._new_said() if told else None)
        if calls:
            answer.tool(at_ns, calls, self._new_said() if told else None)

    def _new_said(self) -> int:
        """Tokens since the last event that carried some of the answer. Thoughts that are not
        shown are none of them."""
        new, self._said_before = self._said - self._said_before, self._said
        return max(0, new)

    def _new_thought(self) -> int:
        """The same for thoughts, which are not told from the answer by every server."""
        if not self._thought:
            return self._new_said()
        new, self._thought_before = self._thought - self._thought_before, self._thought
        return max(0, new)


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
