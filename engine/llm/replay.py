"""Decoding by LiteLLM: the captured bytes are given to its decoder again, read by read.

The decoder pulls reads as it needs them; a chunk that it hands out was completed by the
last read it pulled, and takes that read's arrival time.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

from engine.llm.answer import CallDelta, Collector, Decoded, Usage
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
    answer = Collector()

    async def call() -> Usage:
        stream = await litellm.acompletion(
            model=model,
            messages=[{"role": "user", "content": "replay"}],
            api_key="replayed",
            stream=True,
            num_retries=0,
        )
        async for chunk in stream:
            _take(answer, clock.now, chunk)
        _take_end(answer, stream)
        return _reported(stream)

    with litellm_door.borrowed(Player()):
        usage: Usage = litellm_door.run_async(call())
    return answer.result(usage)


class _Clock:
    now = 0


def _take(answer: Collector, at_ns: int, chunk: Any) -> None:
    for choice in chunk.choices or ():
        delta = choice.delta
        answer.reasoning(at_ns, getattr(delta, "reasoning_content", None))
        answer.text(at_ns, delta.content)
        answer.tool(at_ns, [_call_delta(call) for call in delta.tool_calls or ()])
        if choice.finish_reason:
            answer.finish_reason = str(choice.finish_reason)


def _take_end(answer: Collector, stream: Any) -> None:
    """Whether the provider ended the answer; LiteLLM makes a reason up where it did not."""
    if not hasattr(stream, "received_finish_reason"):
        # Some formats come as a plain generator, which makes nothing up.
        answer.finished = answer.finish_reason is not None
        return
    answer.finished = bool(stream.received_finish_reason or stream.intermittent_finish_reason)
    if not answer.finished:
        answer.finish_reason = None


def _reported(stream: Any) -> Usage:
    """The provider's own counts. Asked for a usage that never came, LiteLLM would count by
    itself and not say so; the chunks it keeps hold what was really sent."""
    chunks = getattr(stream, "chunks", ())
    usages = [usage for chunk in chunks if (usage := getattr(chunk, "usage", None))]
    return _usage_of(usages[-1]) if usages else Usage()


def _call_delta(call: Any) -> CallDelta:
    function = call.function
    return CallDelta(call.index or 0, call.id or "", function.name or "", function.arguments or "")


def _usage_of(usage: Any) -> Usage:
    out_details = getattr(usage, "completion_tokens_details", None)
    in_details = getattr(usage, "prompt_tokens_details", None)
    lasting = getattr(in_details, "cache_creation_token_details", None)
    return Usage(
        input=usage.prompt_tokens,
        output=usage.completion_tokens,
        reasoning=getattr(out_details, "reasoning_tokens", None),
        cached=getattr(in_details, "cached_tokens", None),
        cache_write=getattr(in_details, "cache_write_tokens", None),
        cache_write_1h=getattr(lasting, "ephemeral_1h_input_tokens", None),
    )
