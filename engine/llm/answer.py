"""A decoded answer, and what every decoder collects it in."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

from engine.llm.errors import ProviderError

Part = Literal["text", "reasoning", "tool"]


@dataclass(frozen=True, slots=True)
class Usage:
    """Token counts as the provider reported them; None where it said nothing.

    They mean the same for every provider: `input` is all input. Of it `cached` was read from
    a prefix cache and `cache_write` was written into one, `cache_write_1h` of that for an
    hour. `output` is all output, of it `reasoning` was thought.
    """

    input: int | None = None
    output: int | None = None
    reasoning: int | None = None
    cached: int | None = None
    cache_write: int | None = None
    cache_write_1h: int | None = None


class TokenEvent(NamedTuple):
    """A decoded event that carried something: when, what, and how many characters.

    `tokens` is exact when the stream reported usage in every chunk, else None.
    """

    at_ns: int
    part: Part
    chars: int
    tokens: int | None = None


class CallDelta(NamedTuple):
    """A piece of a tool call, the first one being number 0; what it does not carry is ""."""

    number: int
    id: str
    name: str
    arguments: str


@dataclass(slots=True)
class Decoded:
    """A whole answer. `tool_calls` are `{"id", "name", "arguments"}` with the arguments as
    the text the model wrote. `finish_reason` is in OpenAI's words (stop, length, tool_calls,
    content_filter) for every format. `error` is set when the stream itself carried one."""

    events: list[TokenEvent] = field(default_factory=list)
    text: str = ""
    reasoning: str = ""
    tool_calls: list[dict[str, str]] = field(default_factory=list)
    usage: Usage = field(default_factory=Usage)
    finish_reason: str | None = None
    finished: bool = False
    error: ProviderError | None = None


class Collector:
    """Collects an answer piece by piece, in lists, so that a long one costs linear time.

    What is empty, or no text at all, is no token event and may be given. `tokens` of a piece
    is how many it carried where the stream says so.
    """

    def __init__(self) -> None:
        self.finish_reason: str | None = None
        self.finished = False
        self.error: ProviderError | None = None
        self._events: list[TokenEvent] = []
        self._text: list[str] = []
        self._reasoning: list[str] = []
        self.calls: list[CallDelta] = []

    @property
    def empty(self) -> bool:
        """Whether nothing has come yet."""
        return not self._events

    def text(self, at_ns: int, piece: Any, tokens: int | None = None) -> None:
        if type(piece) is str and piece:
            self._text.append(piece)
            self._events.append(TokenEvent(at_ns, "text", len(piece), tokens))

    def reasoning(self, at_ns: int, piece: Any, tokens: int | None = None) -> None:
        if type(piece) is str and piece:
            self._reasoning.append(piece)
            self._events.append(TokenEvent(at_ns, "reasoning", len(piece), tokens))

    def tool(self, at_ns: int, deltas: Iterable[CallDelta], tokens: int | None = None) -> None:
        """Pieces of tool calls that came together: one event."""
        written = 0
        for delta in deltas:
            self.calls.append(delta)
            written += len(delta.name) + len(delta.arguments)
        if written:
            self._events.append(TokenEvent(at_ns, "tool", written, tokens))

    def finish(self, reason: str) -> None:
        """The provider said why the answer ended."""
        self.finish_reason = reason
        self.finished = True

    def result(self, usage: Usage) -> Decoded:
        """The answer so far. Tokens per event are given only if all events have them, and no
        event came that brought none (a server that counts behind, or only at the end)."""
        events = self._events
        unknown = sum(event.tokens is None for event in events)
        if unknown < len(events) and (unknown or _counted_late(events)):
            events = [event._replace(tokens=None) for event in events]
        return Decoded(
            events=events,
            text="".join(self._text),
            reasoning="".join(self._reasoning),
            tool_calls=_whole_calls(self.calls),
            usage=usage,
            finish_reason=self.finish_reason,
            finished=self.finished,
            error=self.error,
        )


def _counted_late(events: Sequence[TokenEvent]) -> bool:
    """Whether an event of its own time is said to carry no token."""
    return any(
        event.tokens == 0 and (place == 0 or events[place - 1].at_ns != event.at_ns)
        for place, event in enumerate(events)
    )


def _whole_calls(deltas: Iterable[CallDelta]) -> list[dict[str, str]]:
    """Join the pieces of tool calls, by number."""
    calls: dict[int, dict[str, str]] = {}
    for number, call_id, name, arguments in deltas:
        call = calls.setdefault(number, {"id": "", "name": "", "arguments": ""})
        call["id"] = call["id"] or call_id
        call["name"] += name
        call["arguments"] += arguments
    return [calls[number] for number in sorted(calls)]


def count(value: Any) -> int | None:
    """A token count out of JSON; None for what is none."""
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None
