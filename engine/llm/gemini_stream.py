"""Gemini's format: a stream of responses with what is new in each, or one whole response."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from engine.llm.answer import CallDelta, Collector, Usage, count

# Why an answer ended, in OpenAI's words; what is not here is a plain stop.
_FINISH = {"MAX_TOKENS": "length"} | dict.fromkeys(
    (
        "SAFETY",
        "RECITATION",
        "LANGUAGE",
        "OTHER",
        "BLOCKLIST",
        "PROHIBITED_CONTENT",
        "SPII",
        "IMAGE_SAFETY",
        "IMAGE_PROHIBITED_CONTENT",
        "IMAGE_RECITATION",
        "IMAGE_OTHER",
        "NO_IMAGE",
        "ESCALATION",
    ),
    "content_filter",
)


class GeminiReader:
    """See `chunks.Reader`."""

    def __init__(self) -> None:
        self.answer = Collector()
        self._usage: dict[str, Any] = {}
        self._tools = 0
        self._said = self._thought = 0

    def take(self, at_ns: int, chunk: dict[str, Any]) -> None:
        said = thought = None
        if usage := chunk.get("usageMetadata"):
            self._usage = usage
            said, thought = self._new_tokens(usage)
        if (chunk.get("promptFeedback") or {}).get("blockReason"):
            self.answer.finish("content_filter")
        for candidate in chunk.get("candidates") or ():
            if candidate.get("index"):
                continue
            content = candidate.get("content") or {}
            self._take_parts(at_ns, content.get("parts") or (), said, thought)
            if reason := candidate.get("finishReason"):
                self._end(reason)

    def usage(self) -> Usage:
        counts = usage_of(self._usage)
        # Of a stream that was cut before it counted its output, the total may say 0.
        wrong = counts.output == 0 and not self.answer.empty
        return replace(counts, output=None) if wrong else counts

    def _take_parts(self, at_ns: int, parts: Any, said: int | None, thought: int | None) -> None:
        """Read the parts of one chunk: thoughts, text and calls are an event each."""
        answer, text, thoughts = self.answer, "", ""
        calls: list[CallDelta] = []
        for part in parts:
            if "functionCall" in part:
                calls.append(self._call(part["functionCall"]))
            elif part.get("thought") is True:
                thoughts += part.get("text") or ""
            else:
                text += part.get("text") or ""
        answer.reasoning(at_ns, thoughts, thought)
        answer.text(at_ns, text, said)
        answer.tool(at_ns, calls, said if said is None or not text else 0)

    def _call(self, call: dict[str, Any]) -> CallDelta:
        """A call, which comes whole and mostly without an id."""
        index, self._tools = self._tools, self._tools + 1
        arguments = json.dumps(call.get("args") or {}, ensure_ascii=False)
        return CallDelta(
            index, str(call.get("id") or f"call_{index}"), str(call.get("name") or ""), arguments
        )

    def _end(self, reason: str) -> None:
        finish = _FINISH.get(reason, "stop")
        self.answer.finish("tool_calls" if finish == "stop" and self._tools else finish)

    def _new_tokens(self, usage: dict[str, Any]) -> tuple[int | None, int | None]:
        """How many tokens of answer and of thought are new since the last chunk that counted
        them, None where this one does not say. Thoughts are counted even when they are not
        shown, so the two must be told apart."""
        said = count(usage.get("candidatesTokenCount")) or self._said
        thought = count(usage.get("thoughtsTokenCount")) or self._thought
        new = said - self._said, thought - self._thought
        self._said, self._thought = said, thought
        return new[0] if new[0] > 0 else None, new[1] if new[1] > 0 else None


def usage_of(usage: dict[str, Any]) -> Usage:
    """Gemini's usageMetadata. Thoughts are not in `candidatesTokenCount`, unless the total
    says so; what server-side tools put into the prompt is input too."""
    prompt, tools = count(usage.get("promptTokenCount")), usage.get("toolUsePromptTokenCount")
    given = None if prompt is None else prompt + (count(tools) or 0)
    said, thought = count(usage.get("candidatesTokenCount")), count(usage.get("thoughtsTokenCount"))
    total = count(usage.get("totalTokenCount"))
    return Usage(
        input=given,
        output=_output(given, said, thought, total),
        reasoning=thought,
        cached=count(usage.get("cachedContentTokenCount")),
    )


def _output(
    given: int | None, said: int | None, thought: int | None, total: int | None
) -> int | None:
    if said is None and thought is None:
        # Counts of 0 are left out; the total tells whether this is one.
        return 0 if total is not None and total == given else None
    inclusive = said is not None and given is not None and given + said == total
    return (said or 0) if inclusive else (said or 0) + (thought or 0)
