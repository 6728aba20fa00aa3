"""What was asked and what is answered, in no provider's format."""

from __future__ import annotations

import random
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any, Literal, NamedTuple


class Refused(Exception):
    """The request is not served. `code` is a stable word, `param` the field to blame."""

    def __init__(self, status: int, code: str, message: str, param: str | None = None) -> None:
        super().__init__(message)
        self.status, self.code, self.message, self.param = status, code, message, param


class Message(NamedTuple):
    """One turn; `calls` is the compact JSON of the tool calls an assistant turn carried."""

    role: Literal["system", "user", "assistant", "tool"]
    text: str
    calls: str = ""


@dataclass(frozen=True, slots=True)
class Tool:
    """A function on offer; `source` is its definition as sent, which is what is counted."""

    name: str
    description: str
    parameters: dict[str, Any]
    source: dict[str, Any]


@dataclass(frozen=True, slots=True)
class ChatRequest:
    """`tool_choice` is auto, none, required or the name of a tool; None means not given.

    Lengths are tokens. `usage_asked` is whether a stream is to end with token counts.
    """

    model: str
    messages: tuple[Message, ...]
    tools: tuple[Tool, ...] = ()
    tool_choice: str = "auto"
    stream: bool = False
    usage_asked: bool = True
    max_tokens: int | None = None
    min_tokens: int = 0
    ignore_eos: bool = False
    stop: tuple[str, ...] = ()
    temperature: float | None = None
    seed: int | None = None

    def last(self, role: str) -> str:
        """The text of the last turn with that role, or ""."""
        return next((m.text for m in reversed(self.messages) if m.role == role), "")


class Usage(NamedTuple):
    """Token counts; `reasoning` is part of `output`, of `input` `cached` was read from the
    prefix cache and `stored` put into it."""

    input: int
    output: int
    reasoning: int = 0
    cached: int = 0
    stored: int = 0


class Call(NamedTuple):
    """A tool call; `arguments` is compact JSON."""

    id: str
    name: str
    arguments: str


class Piece(NamedTuple):
    """What one token adds: to the reasoning, to the text, or to call number `call`.

    A call opens with one piece "call" (its name, which may be several tokens) and goes on
    with pieces "arguments".
    """

    kind: Literal["reasoning", "text", "call", "arguments"]
    text: str
    tokens: int = 1
    call: int = 0


class Answer(NamedTuple):
    """A whole answer, before any of it is sent. `finish` is stop, length or tool_calls."""

    id: str
    model: str
    pieces: tuple[Piece, ...]
    calls: tuple[Call, ...]
    finish: str
    usage: Usage

    def text(self, kind: str = "text") -> str:
        return "".join(piece.text for piece in self.pieces if piece.kind == kind)


def dice(*parts: object) -> random.Random:
    """A generator seeded by the parts; the same parts give the same numbers anywhere."""
    digest = blake2b(repr(parts).encode("utf-8", "backslashreplace"), digest_size=8)
    return random.Random(int.from_bytes(digest.digest(), "big"))
