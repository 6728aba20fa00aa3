"""The third step, off the timed path: captured bytes become text, tokens and times.

OpenAI-format streams take a fast decoder (`openai_stream`); every other format is decoded
by LiteLLM itself, which is given the captured bytes again (`replay`). Both end in the same
`Decoded`, and a test holds them equal on the same bytes.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Literal

from engine.llm.errors import (
    MESSAGE_CHARS,
    ProviderError,
    error_of_status,
    kind_of_body,
    looks_like_html,
    mask,
)
from engine.llm.exchange import Capture
from engine.llm.http import Response, parse_response

Part = Literal["text", "reasoning", "tool"]


@dataclass(frozen=True, slots=True)
class Usage:
    """Token counts as the provider reported them; None where it said nothing."""

    input: int | None = None
    output: int | None = None
    reasoning: int | None = None
    cached: int | None = None


@dataclass(frozen=True, slots=True)
class TokenEvent:
    """A decoded event that carried something: when, what, and how many characters.

    `tokens` is exact when the stream reported usage in every chunk, else None.
    """

    at_ns: int
    part: Part
    chars: int
    tokens: int | None = None


@dataclass(slots=True)
class Decoded:
    """A whole answer. `tool_calls` are `{"id", "name", "arguments"}` with the arguments as
    the text the model wrote. `error` is set when the stream itself carried one."""

    events: list[TokenEvent] = field(default_factory=list)
    text: str = ""
    reasoning: str = ""
    tool_calls: list[dict[str, str]] = field(default_factory=list)
    usage: Usage = field(default_factory=Usage)
    finish_reason: str | None = None
    finished: bool = False
    error: ProviderError | None = None


def decode(capture: Capture, model: str, secrets: tuple[str | None, ...]) -> Decoded:
    """Decode a capture of `model` (LiteLLM's id).

    Raises ProviderError when there is no answer in it: a connection that broke before one
    began, a status that is not 2xx, a web page. A broken or cut answer is returned with
    `finished` False, so that what arrived can be kept.
    """
    response = parse_response(capture)
    refuse_no_answer(capture, response, secrets)
    if uses_openai_format(model):
        from engine.llm.openai_stream import decode_openai

        decoded = decode_openai(response)
    else:
        from engine.llm.replay import decode_by_litellm

        decoded = decode_by_litellm(response, model, secrets)
    if decoded.error is not None:
        decoded.error.message = mask(decoded.error.message, *secrets)[:MESSAGE_CHARS]
    return decoded


def refuse_no_answer(capture: Capture, response: Response, secrets: tuple[str | None, ...]) -> None:
    if response.status == 0:
        raise _no_response(capture, response)
    if response.status >= 300 and response.status < 400:
        where = response.headers.get("location", "another address")
        raise ProviderError(
            "bad_request",
            mask(f"The endpoint redirects to {where}; use that address as the base URL.", *secrets),
            status=response.status,
        )
    if response.status >= 400:
        raise error_of_status(response.status, response.headers, response.body, secrets)
    head = b"".join(piece.data for piece in response.pieces[:2])[:300].decode("utf-8", "replace")
    if looks_like_html(head, response.content_type):
        raise ProviderError(
            "server",
            "The endpoint answered with a web page instead of a completion; check the base URL.",
            status=response.status,
        )


def _no_response(capture: Capture, response: Response) -> ProviderError:
    if response.garbled:
        return ProviderError("server", "The endpoint's answer is not HTTP; check the base URL.")
    if capture.ended == "timeout":
        return ProviderError("timeout", "No answer came within the request's time limit.")
    if capture.ended == "cancelled":
        return ProviderError("stream_broken", "Cancelled before an answer came.")
    return ProviderError("connect", "The server closed the connection without an answer.")


# LiteLLM prefixes whose streams are OpenAI's chat completion chunks on the wire.
_OTHER_FORMATS = frozenset(
    {"anthropic", "gemini", "vertex_ai", "cohere", "cohere_chat", "ollama", "ollama_chat"}
    | {"bedrock", "sagemaker", "replicate", "watsonx", "text-completion-openai", "databricks"}
)


def uses_openai_format(model: str) -> bool:
    """Whether the answers of a model (LiteLLM id) are chat completion chunks."""
    return model.partition("/")[0] not in _OTHER_FORMATS


def error_in(data: Any, status: int | None) -> ProviderError | None:
    """The error of a JSON body or event that speaks of one, else None."""
    if not isinstance(data, dict) or not data.get("error"):
        return None
    error = data["error"]
    text = error.get("message") if isinstance(error, dict) else str(error)
    return ProviderError(
        kind_of_body(error),
        f"The provider reported an error: {text or json.dumps(error)}",
        status=status,
    )


def tool_call_list(parts: Iterable[tuple[int, str, str, str]]) -> list[dict[str, str]]:
    """Join tool-call deltas `(index, id, name, arguments)` into whole calls, by index."""
    calls: dict[int, dict[str, str]] = {}
    for index, call_id, name, arguments in parts:
        call = calls.setdefault(index, {"id": "", "name": "", "arguments": ""})
        call["id"] = call["id"] or call_id
        call["name"] += name
        call["arguments"] += arguments
    return [calls[index] for index in sorted(calls)]
