"""What a model did, out of a decoded answer."""

from __future__ import annotations

from engine.llm.answer import Decoded
from engine.tools.answers import Answer, Call
from engine.tools.arguments import read_arguments
from engine.tools.offer import Offer
from engine.tools.recovery import recover


def read_answer(decoded: Decoded, offer: Offer) -> Answer:
    """Every call of the answer, under the suite's names. Where the provider reported none,
    calls that the model wrote as text are read and marked as recovered."""
    if decoded.tool_calls:
        calls = tuple(
            Call(
                offer.named(call["name"]),
                read_arguments(call["arguments"]),
                call["arguments"],
                call["id"],
            )
            for call in decoded.tool_calls
        )
        return Answer(calls, decoded.text)
    if not offer.definitions:
        return Answer((), decoded.text)
    found = recover(decoded.text, offer.names)
    if found is None:
        return Answer(None, decoded.text, recovered=True)
    written = tuple(
        Call(offer.named(call.name), call.arguments, call.raw, call.id) for call in found
    )
    return Answer(written, decoded.text, recovered=bool(written))
