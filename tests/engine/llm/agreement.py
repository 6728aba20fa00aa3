"""Our readers and LiteLLM's decoder on the same bytes."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from engine.llm.answer import Decoded, Usage
from engine.llm.decode import decode
from engine.llm.exchange import Capture
from engine.llm.http import parse_response
from engine.llm.replay import decode_by_litellm


def both(capture: Capture, model: str) -> tuple[Decoded, Decoded]:
    """The capture decoded by the product, and by LiteLLM."""
    return decode(capture, model, ()), decode_by_litellm(parse_response(capture), model, ())


def same_answer(one: Decoded, other: Decoded) -> None:
    """Text, reasoning, calls, finish reason, and each event with its time. Ids of calls that
    a provider did not give are made up, and a call without arguments may be written as
    nothing: both are the readers' own."""
    assert (one.text, one.reasoning) == (other.text, other.reasoning)
    assert (one.finish_reason, one.finished) == (other.finish_reason, other.finished)
    assert _calls(one) == _calls(other)
    assert _events(one) == _events(other)


def counted(usage: Usage) -> Usage:
    """Counts with 0 for those nobody named. LiteLLM counts Anthropic's thoughts by itself,
    so reasoning is left out."""
    named: dict[str, Any] = {name: getattr(usage, name) or 0 for name in Usage.__slots__}
    return replace(Usage(**named), reasoning=0)


def _calls(decoded: Decoded) -> list[tuple[str, Any]]:
    return [(c["name"], json.loads(c["arguments"] or "{}")) for c in decoded.tool_calls]


def _events(decoded: Decoded) -> list[tuple[int, str, int]]:
    return [(event.at_ns, event.part, event.chars) for event in decoded.events]
