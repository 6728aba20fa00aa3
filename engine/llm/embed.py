"""Embeddings of texts, through our own sockets; LiteLLM writes and reads where the endpoint
does not speak OpenAI's format."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from engine.cancel import CancelToken
from engine.llm.decode import refuse_no_answer
from engine.llm.errors import ProviderError, guarded
from engine.llm.http import Response, parse_response
from engine.llm.prepare import base_of, is_direct, refuse_unaskable
from engine.llm.proxy import proxy_for
from engine.llm.request import PreparedRequest
from engine.llm.wire import Connection
from engine.targets import PLACEHOLDER_KEY, Target

Vectors = list[list[float]]


def embed(
    target: Target, texts: Sequence[str], cancel: CancelToken, *, timeout_s: float
) -> Vectors:
    """The embedding of each text, in their order. Blocks; raises ProviderError, and Cancelled
    within 0.2 s of the token."""
    refuse_unaskable(target)
    secrets = (target.api_key,)
    if is_direct(target):
        prepared = _prepare_direct(target, texts)
    else:
        prepared = guarded(lambda: _prepare_by_litellm(target, texts), secrets)
    response = asyncio.run(_exchange(target, prepared, cancel, timeout_s))
    if is_direct(target):
        vectors = _vectors(_parsed(response))
    else:
        vectors = guarded(lambda: _decode_by_litellm(target, response, texts), secrets)
    if len(vectors) != len(texts):
        raise ProviderError(
            "server",
            f"{target.label or target.model} gave {len(vectors)} embeddings for "
            f"{len(texts)} texts.",
        )
    return vectors


def _prepare_direct(target: Target, texts: Sequence[str]) -> PreparedRequest:
    body = {"model": target.litellm_model.partition("/")[2], "input": list(texts)}
    headers = [("content-type", "application/json"), ("accept", "application/json")]
    if target.api_key:
        headers.append(("authorization", f"Bearer {target.api_key}"))
    url = f"{base_of(target)}/embeddings"
    encoded = json.dumps(body, ensure_ascii=False).encode("utf-8", "replace")
    return PreparedRequest("POST", url, tuple(headers), encoded, target.litellm_model)


async def _exchange(
    target: Target, prepared: PreparedRequest, cancel: CancelToken, timeout_s: float
) -> Response:
    prepared = replace(prepared, proxy=proxy_for(target, prepared.url))
    connection = await Connection.open(prepared.endpoint, target.allow_private)
    watcher = asyncio.create_task(_abort_when_cancelled(connection, cancel))
    try:
        capture = await connection.exchange(prepared.wire_bytes(), timeout_s)
    finally:
        watcher.cancel()
        connection.close()
    cancel.check()
    response = parse_response(capture)
    refuse_no_answer(capture, response, (target.api_key,))
    return response


async def _abort_when_cancelled(connection: Connection, cancel: CancelToken) -> None:
    # The token is set from other threads and by a deadline, so it is looked at, not awaited.
    while not cancel.reason:  # noqa: ASYNC110
        await asyncio.sleep(0.1)
    connection.abort()


def _parsed(response: Response) -> Any:
    try:
        return json.loads(response.body)
    except ValueError:
        raise ProviderError("server", "The embeddings are not JSON.") from None


def _vectors(data: Any) -> Vectors:
    """OpenAI's list of embeddings, by their index."""
    try:
        items = sorted(data["data"], key=lambda item: item.get("index", 0))
        return [[float(x) for x in item["embedding"]] for item in items]
    except (AttributeError, LookupError, TypeError, ValueError):
        raise ProviderError("server", "The answer holds no embeddings.") from None


class _Recorded(BaseException):
    """Ends LiteLLM's call once its request is known, past its error handling."""


def _prepare_by_litellm(target: Target, texts: Sequence[str]) -> PreparedRequest:
    import httpx

    from engine.llm import litellm_door

    class Recorder(httpx.AsyncBaseTransport):
        sent: PreparedRequest | None = None

        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            body = await request.aread()
            headers = tuple(request.headers.items())
            self.sent = PreparedRequest(request.method, str(request.url), headers, body)
            raise _Recorded

    recorder = Recorder()
    with litellm_door.borrowed(recorder), contextlib.suppress(_Recorded):
        litellm_door.run_async(_call(target, texts))
    if recorder.sent is None:
        raise ProviderError(
            "unsupported", f"{target.litellm_model} gives no embeddings over one HTTP request."
        )
    return recorder.sent


def _decode_by_litellm(target: Target, response: Response, texts: Sequence[str]) -> Vectors:
    import httpx

    from engine.llm import litellm_door

    class Player(httpx.AsyncBaseTransport):
        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            kind = {"content-type": response.content_type}
            return httpx.Response(
                response.status, headers=kind, content=response.body, request=request
            )

    with litellm_door.borrowed(Player()):
        found = litellm_door.run_async(_call(target, texts))
    return _vectors({"data": [dict(item) for item in found.data]})


async def _call(target: Target, texts: Sequence[str]) -> Any:
    from engine.llm import litellm_door

    return await litellm_door.load().aembedding(
        model=target.litellm_model,
        input=list(texts),
        # Without a key LiteLLM would take the operator's from the environment.
        api_key=target.api_key or PLACEHOLDER_KEY,
        api_base=base_of(target),
        num_retries=0,
    )
