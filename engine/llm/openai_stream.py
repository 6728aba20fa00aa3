"""The fast decoder of OpenAI-format answers: chat completion chunks as server-sent events,
or one whole JSON body from a server that ignored `stream`."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import replace
from typing import Any, cast

from pydantic_core import from_json

from engine.llm.decode import Decoded, TokenEvent, Usage, error_in, tool_call_list
from engine.llm.errors import ProviderError
from engine.llm.http import Response
from engine.llm.sse import events

# Chunks that are decoded in one step, a few tenths of a millisecond of work.
STEP_CHUNKS = 32


def decode_openai(response: Response) -> Decoded:
    """Decode a 2xx response. Chunks that are not JSON end the answer: what came before is
    kept and `error` says so."""
    steps = decode_in_steps(response)
    while True:
        try:
            next(steps)
        except StopIteration as end:
            return cast("Decoded", end.value)


def decode_in_steps(response: Response) -> Generator[None, None, Decoded]:
    """The same, giving way after every `STEP_CHUNKS` chunks, for a process that has streams
    to read meanwhile."""
    if "json" in response.content_type:
        return _decode_body(response)
    reader = _ChunkReader()
    for index, event in enumerate(events(response.pieces), start=1):
        if event.data.strip() == b"[DONE]":
            reader.decoded.finished = True
            break
        if not reader.take(event.at_ns, event.data, response.status):
            break
        if index % STEP_CHUNKS == 0:
            yield
    return reader.result()


class _ChunkReader:
    """Collects chunks; keeps pieces in lists, so that a long answer costs linear time."""

    def __init__(self) -> None:
        self.decoded = Decoded()
        self._text: list[str] = []
        self._reasoning: list[str] = []
        self._calls: list[tuple[int, str, str, str]] = []
        self._counted = 0

    def take(self, at_ns: int, data: bytes, status: int) -> bool:
        """Read one chunk; False when the answer cannot go on."""
        try:
            chunk = from_json(data)
        except ValueError:
            self.decoded.error = ProviderError(
                "stream_broken", "The stream holds a chunk that is not JSON.", status=status
            )
            return False
        if error := error_in(chunk, status):
            self.decoded.error = error
            return False
        if isinstance(chunk, dict):
            self._take_chunk(at_ns, chunk)
        return True

    def _take_chunk(self, at_ns: int, chunk: dict[str, Any]) -> None:
        tokens = self._take_usage(chunk)
        for choice in chunk.get("choices") or ():
            if choice.get("index") or not isinstance(choice, dict):
                continue
            self._take_delta(at_ns, choice.get("delta") or choice.get("message") or {}, tokens)
            if choice.get("finish_reason"):
                self.decoded.finish_reason = str(choice["finish_reason"])
                self.decoded.finished = True

    def _take_usage(self, chunk: dict[str, Any]) -> int | None:
        """Keep the latest usage; returns how many output tokens are new in this chunk."""
        if not chunk.get("usage"):
            return None
        self.decoded.usage = usage_of(chunk["usage"])
        before, self._counted = self._counted, self.decoded.usage.output or 0
        return self._counted - before

    def _take_delta(self, at_ns: int, delta: dict[str, Any], tokens: int | None) -> None:
        content = delta.get("content")
        if len(delta) == 1 and type(content) is str:
            # Nearly every chunk of nearly every stream.
            if content:
                self._text.append(content)
                self.decoded.events.append(TokenEvent(at_ns, "text", len(content), tokens))
            return
        reasoning = _text_of(delta.get("reasoning_content") or delta.get("reasoning"))
        text = _text_of(content)
        calls = [_call_delta(call) for call in delta.get("tool_calls") or ()]
        written = "".join(name + arguments for _, _, name, arguments in calls)
        self._calls += calls
        for part, kept, piece in (
            ("reasoning", self._reasoning, reasoning),
            ("text", self._text, text),
            ("tool", None, written),
        ):
            if piece:
                self.decoded.events.append(TokenEvent(at_ns, part, len(piece), tokens))  # type: ignore[arg-type]
                tokens = 0 if tokens is not None else None
                if kept is not None:
                    kept.append(piece)

    def result(self) -> Decoded:
        decoded = self.decoded
        decoded.text, decoded.reasoning = "".join(self._text), "".join(self._reasoning)
        decoded.tool_calls = tool_call_list(self._calls)
        counted = sum(event.tokens is not None for event in decoded.events)
        if 0 < counted < len(decoded.events):
            decoded.events = [replace(event, tokens=None) for event in decoded.events]
        return decoded


def usage_of(usage: dict[str, Any]) -> Usage:
    """OpenAI's usage object; names that servers of the same format use are known too."""
    out_details = usage.get("completion_tokens_details") or {}
    in_details = usage.get("prompt_tokens_details") or {}
    cached = in_details.get("cached_tokens")
    if cached is None:
        cached = usage.get("prompt_cache_hit_tokens")
    return Usage(
        input=_count(usage.get("prompt_tokens")),
        output=_count(usage.get("completion_tokens")),
        reasoning=_count(out_details.get("reasoning_tokens")),
        cached=_count(cached),
    )


def _decode_body(response: Response) -> Decoded:
    reader = _ChunkReader()
    at_ns = response.pieces[-1].at_ns if response.pieces else 0
    if not response.body.strip():
        return reader.result()
    reader.take(at_ns, response.body, response.status)
    return reader.result()


def _call_delta(call: dict[str, Any]) -> tuple[int, str, str, str]:
    function = call.get("function") or {}
    return (
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


def _count(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None
