"""Decoding by LiteLLM: the captured bytes are given to its decoder again, read by read.

The decoder pulls reads as it needs them; a chunk that it hands out was completed by the
last read it pulled, and takes that read's arrival time.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

from engine.llm.decode import Decoded, TokenEvent, Usage, tool_call_list
from engine.llm.errors import guarded
from engine.llm.http import Response

_DROPPED_HEADERS = frozenset({"content-encoding", "content-length", "transfer-encoding"})


def decode_by_litellm(response: Response, model: str, secrets: tuple[str | None, ...]) -> Decoded:
    """Decode a 2xx response of `model` (LiteLLM's id). Raises ProviderError when LiteLLM
    cannot read it."""
    return guarded(lambda: _decode(response, model), secrets)


def _decode(response: Response, model: str) -> Decoded:
    import httpx

    from engine.llm import litellm_door

    clock = _Clock()

    class Player(httpx.AsyncBaseTransport):
        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            headers = [(k, v) for k, v in response.headers.items() if k not in _DROPPED_HEADERS]
            return httpx.Response(
                response.status, headers=headers, stream=_Stream(), request=request
            )

    class _Stream(httpx.AsyncByteStream):
        async def __aiter__(self) -> AsyncIterator[bytes]:
            for at_ns, data in response.pieces:
                clock.now = at_ns
                yield data

    litellm = litellm_door.load()
    collector = _Collector()

    async def call() -> None:
        stream = await litellm.acompletion(
            model=model,
            messages=[{"role": "user", "content": "replay"}],
            api_key="replayed",
            stream=True,
            stream_options={"include_usage": True},
            num_retries=0,
        )
        async for chunk in stream:
            collector.take(clock.now, chunk)

    with litellm_door.borrowed(Player()):
        litellm_door.run_async(call())
    return collector.result()


class _Clock:
    now = 0


class _Collector:
    def __init__(self) -> None:
        self.decoded = Decoded()
        self._text: list[str] = []
        self._reasoning: list[str] = []
        self._calls: list[tuple[int, str, str, str]] = []

    def take(self, at_ns: int, chunk: Any) -> None:
        if usage := getattr(chunk, "usage", None):
            self.decoded.usage = _usage_of(usage)
        for choice in chunk.choices or ():
            delta = choice.delta
            self._take_part(at_ns, "reasoning", getattr(delta, "reasoning_content", None))
            self._take_part(at_ns, "text", delta.content)
            self._take_calls(at_ns, delta.tool_calls or ())
            if choice.finish_reason:
                self.decoded.finish_reason = str(choice.finish_reason)
                self.decoded.finished = True

    def _take_part(self, at_ns: int, part: Any, piece: str | None) -> None:
        if piece:
            (self._text if part == "text" else self._reasoning).append(piece)
            self.decoded.events.append(TokenEvent(at_ns, part, len(piece)))

    def _take_calls(self, at_ns: int, calls: Any) -> None:
        written = 0
        for call in calls:
            name, arguments = call.function.name or "", call.function.arguments or ""
            self._calls.append((call.index or 0, call.id or "", name, arguments))
            written += len(name) + len(arguments)
        if written:
            self.decoded.events.append(TokenEvent(at_ns, "tool", written))

    def result(self) -> Decoded:
        self.decoded.text = "".join(self._text)
        self.decoded.reasoning = "".join(self._reasoning)
        self.decoded.tool_calls = tool_call_list(self._calls)
        return self.decoded


def _usage_of(usage: Any) -> Usage:
    out_details = getattr(usage, "completion_tokens_details", None)
    in_details = getattr(usage, "prompt_tokens_details", None)
    return Usage(
        input=usage.prompt_tokens,
        output=usage.completion_tokens,
        reasoning=getattr(out_details, "reasoning_tokens", None),
        cached=getattr(in_details, "cached_tokens", None),
    )
