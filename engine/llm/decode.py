"""The third step, off the timed path: captured bytes become text, tokens and times.

OpenAI's, Anthropic's, Gemini's, Cohere's and Ollama's formats have fast readers of our own;
every other one is decoded by LiteLLM itself, which is given the captured bytes again
(`replay`). All end in the same `Decoded`, and tests hold ours equal to LiteLLM's on the same
bytes (but Cohere's, which LiteLLM does not read).
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import cast

from engine.llm.answer import Decoded
from engine.llm.anthropic_stream import AnthropicReader
from engine.llm.chunks import Reader, read_in_steps
from engine.llm.cohere_stream import CohereReader
from engine.llm.errors import (
    MESSAGE_CHARS,
    ProviderError,
    error_of_status,
    looks_like_html,
    mask,
)
from engine.llm.exchange import MOST_BYTES, Capture
from engine.llm.gemini_stream import GeminiReader
from engine.llm.http import Response, parse_response
from engine.llm.ollama_stream import OllamaReader
from engine.llm.openai_stream import OpenAIReader
from engine.llm.template import Template

# LiteLLM prefixes that do not answer in OpenAI's chat completion chunks: their reader, or
# None where LiteLLM decodes.
_READERS: dict[str, Callable[[], Reader] | None] = {
    "anthropic": AnthropicReader,
    "cohere": CohereReader,
    "cohere_chat": CohereReader,
    "gemini": GeminiReader,
    "ollama": OllamaReader,
    "ollama_chat": OllamaReader,
    **dict.fromkeys(
        (
            "bedrock",
            "databricks",
            "sagemaker",
            "text-completion-openai",
            "vertex_ai",
            "watsonx",
        )
    ),
}


def decode(capture: Capture, model: str, secrets: tuple[str | None, ...]) -> Decoded:
    """Decode a capture of `model` (LiteLLM's id).

    Raises ProviderError when there is no answer in it: a connection that broke before one
    began, a status that is not 2xx, a web page. A broken or cut answer is returned with
    `finished` False, so that what arrived can be kept.
    """
    steps = decode_in_steps(capture, model, secrets)
    while True:
        try:
            next(steps)
        except StopIteration as end:
            return cast("Decoded", end.value)


def decode_in_steps(
    capture: Capture, model: str, secrets: tuple[str | None, ...]
) -> Generator[None, None, Decoded]:
    """The same, giving way in between, for a process that has streams to read meanwhile.
    What LiteLLM decodes is one step."""
    response = parse_response(capture)
    refuse_no_answer(capture, response, secrets)
    new_reader = _READERS.get(model.partition("/")[0], OpenAIReader)
    if new_reader is None:
        from engine.llm.replay import decode_by_litellm

        decoded = decode_by_litellm(response, model, secrets)
    else:
        template = Template() if new_reader is OpenAIReader else None
        decoded = yield from read_in_steps(response, new_reader(), template)
    if response.garbled and decoded.error is None and not decoded.finished:
        decoded.error = _unreadable(response)
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


OVERSIZE = f"The answer grew beyond {MOST_BYTES >> 20} MB; reading was stopped."


def late_sentence(capture: Capture, *, begun: bool) -> str:
    """At which stage a request's time limit ended it; `begun` says that tokens had come."""
    if not capture.sent_ns:
        return "The endpoint did not take the whole request within its time limit."
    after_s = (capture.ended_ns - capture.sent_ns) / 1e9
    if begun:
        return f"The answer had begun, but did not end within {after_s:.3g} s."
    if capture.chunks:
        return f"The answer began, but no token came within {after_s:.3g} s."
    return f"No byte of an answer came within {after_s:.3g} s."


def _unreadable(response: Response) -> ProviderError:
    coding = response.headers.get("content-encoding", "none")
    return ProviderError(
        "stream_broken",
        f"The answer's bytes could not be read (content-encoding: {coding}).",
        status=response.status,
    )


def _no_response(capture: Capture, response: Response) -> ProviderError:
    if response.garbled:
        return ProviderError("server", "The endpoint's answer is not HTTP; check the base URL.")
    if capture.ended == "timeout":
        return ProviderError("timeout", late_sentence(capture, begun=False))
    if capture.ended == "cancelled":
        return ProviderError("stream_broken", "Cancelled before an answer came.")
    return ProviderError("connect", "The server closed the connection without an answer.")
