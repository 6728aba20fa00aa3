"""The first step: (model, messages, parameters, key) become a request's bytes.

LiteLLM writes them, for every provider it knows. Endpoints that speak OpenAI's format at
an address of their own take a direct path, which a test holds equal to LiteLLM's body; it
saves them LiteLLM's import.
"""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import Any

from engine.llm.errors import ProviderError, guarded
from engine.llm.proxy import proxy_for
from engine.llm.request import ChatRequest, PreparedRequest
from engine.targets import PLACEHOLDER_KEY, Target

# These sign with an account of the machine's environment, which no user may borrow.
_OWN_CREDENTIALS = frozenset({"bedrock", "sagemaker", "sagemaker_chat", "vertex_ai", "watsonx"})

# These are asked with several requests, of which the first has no answer in it.
_SEVERAL_REQUESTS = frozenset({"replicate"})

# OpenAI's reasoning models rename and refuse parameters; LiteLLM knows how.
_NEEDS_LITELLM = re.compile(r"^(gpt-5|o\d)")

_OPENAI_HOST = "api.openai.com"

# An address of one's own, for providers that LiteLLM does not ask OpenAI's way: the endings
# it may have, and the one after which LiteLLM writes the rest.
_COHERE = (("/v2/chat", "/v1/chat", "/v2", "/v1"), "/v2/chat")
_OLLAMA = (("/v1", "/api"), "")
_BASES = {
    "anthropic": (("/v1/messages", "/v1"), ""),
    "gemini": (("/v1beta", "/v1"), "/v1beta"),
    "cohere": _COHERE,
    "cohere_chat": _COHERE,
    "ollama": _OLLAMA,
    "ollama_chat": _OLLAMA,
}


def prepare(target: Target, request: ChatRequest) -> PreparedRequest:
    """Write the request. Raises ProviderError (kind `unsupported` or LiteLLM's own) when
    the target cannot be asked this way."""
    refuse_unaskable(target)
    if target.litellm_model.partition("/")[0] in _SEVERAL_REQUESTS:
        raise _not_one_request(target)
    arguments = _arguments(target, request)
    target = replace(target, litellm_model=_sent_as(target.litellm_model, "tools" in arguments))
    if is_direct(target):
        prepared = _prepare_direct(target, arguments)
    else:
        prepared = guarded(lambda: _prepare_by_litellm(target, arguments), (target.api_key,))
    return replace(prepared, proxy=proxy_for(target, prepared.url))


def refuse_unaskable(target: Target) -> None:
    """Raise ProviderError for a target without a usable key, or of a provider that would sign
    with an account of the machine's."""
    if target.problem:
        raise ProviderError("auth", target.problem)
    prefix = target.litellm_model.partition("/")[0]
    if prefix in _OWN_CREDENTIALS:
        raise ProviderError(
            "unsupported",
            f"{prefix} needs credentials other than one API key, which the studio does not "
            "keep yet; use a provider with a key, or an OpenAI-compatible gateway to it.",
        )


def _sent_as(model: str, with_tools: bool) -> str:
    """The id LiteLLM is asked: its own `vllm/` runs the model in this process, and its
    `ollama/` writes tools into the prompt."""
    prefix, _, name = model.partition("/")
    if prefix == "vllm":
        return f"hosted_vllm/{name}"
    return f"ollama_chat/{name}" if prefix == "ollama" and with_tools else model


def is_direct(target: Target) -> bool:
    """Whether a target is asked in OpenAI's format without LiteLLM."""
    prefix, _, name = target.litellm_model.partition("/")
    return prefix == "openai" and target.api_base is not None and not _NEEDS_LITELLM.match(name)


def _arguments(target: Target, request: ChatRequest) -> dict[str, Any]:
    """The call in LiteLLM's argument names, without what the model's owner said to skip."""
    messages = [dict(message) for message in request.messages]
    if target.system_prompt:
        messages.insert(0, {"role": "system", "content": target.system_prompt})
    wanted = {
        "max_tokens": request.max_tokens,
        "temperature": request.temperature,
        "stream_options": {"include_usage": True},
        **request.extra,
    }
    sent = {k: v for k, v in wanted.items() if v is not None and k not in target.skip_params}
    return {"messages": messages, **sent}


def _prepare_direct(target: Target, arguments: dict[str, Any]) -> PreparedRequest:
    name = target.litellm_model.partition("/")[2]
    extra = arguments.pop("extra_body", {})
    body = {"model": name, **arguments, "stream": True, **extra}
    headers = [("content-type", "application/json"), ("accept", "text/event-stream")]
    if target.api_key:
        headers.append(("authorization", f"Bearer {target.api_key}"))
    headers.append(("user-agent", "llm-benchmark-studio"))
    encoded = json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()
    url = f"{base_of(target)}/chat/completions"
    return PreparedRequest("POST", url, tuple(headers), encoded, target.litellm_model)


def base_of(target: Target) -> str | None:
    """The target's own address as LiteLLM needs it, however its owner ended it."""
    if target.api_base is None:
        return None
    base = target.api_base.rstrip("/")
    known = _BASES.get(target.litellm_model.partition("/")[0])
    if known is None:
        return base
    endings, needed = known
    written = next((ending for ending in endings if base.endswith(ending)), "")
    return base.removesuffix(written) + needed


def _is_openai(target: Target) -> bool:
    prefix, slash, _ = target.litellm_model.partition("/")
    return not slash or prefix in ("openai", "text-completion-openai")


def _not_one_request(target: Target) -> ProviderError:
    return ProviderError(
        "unsupported",
        f"{target.litellm_model} is not asked with one HTTP request, so it cannot be timed "
        "at the socket.",
    )


class _Recorded(BaseException):
    """Ends LiteLLM's call once its request is known; not an Exception, so that no error
    handling of LiteLLM's takes it for a failure and tries again."""


def _prepare_by_litellm(target: Target, arguments: dict[str, Any]) -> PreparedRequest:
    import httpx

    from engine.llm import litellm_door

    class Recorder(httpx.AsyncBaseTransport):
        request: httpx.Request | None = None
        body = b""

        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            self.body = await request.aread()
            self.request = request
            raise _Recorded

    litellm = litellm_door.load()
    recorder = Recorder()

    async def call() -> None:
        stream = await litellm.acompletion(
            model=target.litellm_model,
            # Without a key LiteLLM would take the operator's from the environment.
            api_key=target.api_key or PLACEHOLDER_KEY,
            api_base=base_of(target),
            stream=True,
            num_retries=0,
            **arguments,
        )
        # Some providers' handlers send only when the first chunk is asked for.
        await anext(aiter(stream))

    with litellm_door.borrowed(recorder) as borrowed:
        try:
            litellm_door.run_async(call())
        except _Recorded:
            pass
        finally:
            # Whatever LiteLLM made of it: without the network it could not ask.
            if recorder.request is None and borrowed.reached_out:
                raise _not_one_request(target)
    if recorder.request is None:
        raise _not_one_request(target)
    sent = recorder.request
    if sent.url.host == _OPENAI_HOST and target.api_base is None and not _is_openai(target):
        # Where LiteLLM knows no address it falls back to OpenAI's, which must not get the key.
        raise ProviderError(
            "unsupported",
            f"{target.litellm_model} has no address of its own; give its base URL.",
        )
    return PreparedRequest(
        sent.method,
        str(sent.url),
        tuple(sent.headers.items()),
        recorder.body,
        target.litellm_model,
    )
