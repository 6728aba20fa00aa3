"""Decoding in steps, for a process that has streams to read meanwhile."""

from __future__ import annotations

from collections.abc import Generator

from engine.llm.decode import Decoded, decode, refuse_no_answer, uses_openai_format
from engine.llm.errors import MESSAGE_CHARS, mask
from engine.llm.exchange import Capture
from engine.llm.http import parse_response
from engine.llm.openai_stream import decode_in_steps


def decode_steps(
    capture: Capture, model: str, secrets: tuple[str | None, ...]
) -> Generator[None, None, Decoded]:
    """What `engine.llm.decode.decode` does, giving way in between. Other formats than
    OpenAI's are decoded by LiteLLM in one step."""
    if not uses_openai_format(model):
        return decode(capture, model, secrets)
    response = parse_response(capture)
    refuse_no_answer(capture, response, secrets)
    decoded = yield from decode_in_steps(response)
    if decoded.error is not None:
        decoded.error.message = mask(decoded.error.message, *secrets)[:MESSAGE_CHARS]
    return decoded
