"""Reading a prompt for a fact that is asked for: each model reads so far back, and no further.

A question "what is the P of the Q?" is answered by the last "The P of the Q is V." in the same
message. A fact that lies more than the model's `recall_tokens` before the end of the message is
overlooked, so whoever hides facts at known places knows what must come back.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from engine.demo.catalog import Model
from engine.demo.chat import ChatRequest
from engine.demo.tokens import count

# The question stands near the end of a long message.
_ASKED_CHARS = 20_000
_QUESTION = re.compile(r"\bwhat is (the [\w -]{1,60}? of the [\w-]{1,40})\?", re.IGNORECASE)


class Memory(NamedTuple):
    """What is said about the fact, and whether it was found."""

    said: str
    found: bool


def look_up(request: ChatRequest, model: Model) -> Memory | None:
    """The answer to the last user message's question for a fact; None where none is asked."""
    text = request.last("user")
    asked = _QUESTION.search(text, max(0, len(text) - _ASKED_CHARS))
    if asked is None:
        return None
    what = asked[1]
    stated = [*re.finditer(rf"\b{re.escape(what)} is ([^\s.]+)\.", text, re.IGNORECASE)]
    if not stated:
        return None
    fact = stated[-1]
    reach = model.recall_tokens
    if reach is not None and count(text[fact.end() :]) > reach:
        return Memory(f"I did not find {what} in the material.\n\n", found=False)
    return Memory(f"{what[:1].upper()}{what[1:]} is {fact[1]}.\n\n", found=True)
