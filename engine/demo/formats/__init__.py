"""Wire formats: one module each, which reads requests and encodes answers.

A format is a module-level object with the methods of `Format`. To add one, write its file
and name it in `engine.demo.server.FORMATS`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from engine.demo.catalog import Model
from engine.demo.chat import Answer, ChatRequest, Piece, Refused, Usage


class Encoder(Protocol):
    """Encodes one answer. Each method returns the bytes of zero or more complete events.

    `whole_calls` says that a tool call is one event, instead of a name and then arguments.
    """

    whole_calls: bool

    def opening(self, usage: Usage | None) -> bytes:
        """What comes before the first token: the role, in some formats the input counts if
        given, in others nothing."""

    def pieces(self, pieces: Sequence[Piece], so_far: Usage | None) -> bytes:
        """One event that carries these pieces, all of one kind and one call (with
        `whole_calls` all pieces of one call); with the counts so far when `so_far` is given
        and the format has a place for them."""

    def keepalive(self) -> bytes:
        """Events without any token in them."""

    def malformed(self) -> bytes:
        """An event that cannot be parsed."""

    def error(self, refused: Refused) -> bytes:
        """An event that says the answer failed."""

    def closing(self, usage: Usage | None, *, done: bool) -> bytes:
        """Finish reason, token counts if given, and the end mark if `done`."""

    def whole(self, usage: Usage | None) -> bytes:
        """The body of an answer that is not streamed."""


class Format(Protocol):
    """One provider's request and answer shapes."""

    content_type: str

    def serves(self, path: str) -> bool:
        """Whether a POST to this path is a chat request in this format."""

    def lists(self, path: str, headers: Mapping[str, str]) -> bool:
        """Whether a GET of this path asks for the model list in this format."""

    def key(self, headers: Mapping[str, str], target: str) -> str:
        """The API key sent, or ""; `target` is the path with its query."""

    def read(self, target: str, body: dict[str, Any]) -> ChatRequest:
        """The request; Refused says what is wrong with which field."""

    def encoder(self, answer: Answer, request: ChatRequest) -> Encoder:
        """What encodes this answer."""

    def refusal(self, refused: Refused) -> bytes:
        """The body of an error answer."""

    def new_id(self, number: str) -> str:
        """An answer's id."""

    def models(self, models: Sequence[Model]) -> bytes:
        """The body of the model list."""


def utf8(text: str) -> bytes:
    """`text` as bytes; a prompt may hold half a surrogate pair, and an answer may quote it."""
    return text.encode("utf-8", "replace")
