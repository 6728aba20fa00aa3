"""What the fast decoders share: a captured body becomes chunks, and a format's reader makes
an answer of them.

A body is server-sent events, lines of JSON, or one JSON document from a server that ignored
`stream`. A chunk that is not JSON, is no chunk of its format or speaks of an error ends the
answer: what came before is kept and `error` says so.
"""

from __future__ import annotations

from collections.abc import Generator
from typing import Any, Protocol

from pydantic_core import from_json

from engine.llm.answer import Collector, Decoded, Usage
from engine.llm.errors import ProviderError, error_in
from engine.llm.http import Response
from engine.llm.sse import events, lines
from engine.llm.template import Template

# What reading JSON of an unforeseen shape raises.
_STRANGE = (AttributeError, LookupError, TypeError, ValueError)
# Chunks that are decoded in one step, a few tenths of a millisecond of work.
STEP_CHUNKS = 32
_DONE = b"[DONE]"
_NOT_JSON: Any = object()


class Reader(Protocol):
    """Knows one format, and collects into `answer`."""

    answer: Collector

    def take(self, at_ns: int, chunk: dict[str, Any]) -> None:
        """Read one chunk, or a whole answer."""

    def usage(self) -> Usage:
        """The counts the provider reported so far."""


def read_in_steps(
    response: Response, reader: Reader, template: Template | None = None
) -> Generator[None, None, Decoded]:
    """Decode a 2xx response, giving way after every `STEP_CHUNKS` chunks, for a process that
    has streams to read meanwhile. `template` is for OpenAI's format alone."""
    answer = reader.answer
    by_line = "ndjson" in response.content_type
    if "json" in response.content_type and not by_line:
        if body := response.body.strip():
            at_ns = response.pieces[-1].at_ns
            _take(reader, at_ns, _parsed(body), response.status)
        return _result(reader)
    stream = lines(response.pieces) if by_line else events(response.pieces)
    for index, event in enumerate(stream, start=1):
        if index % STEP_CHUNKS == 0:
            yield
        if template is not None and (text := template.text_in(event.data)) is not None:
            answer.text(event.at_ns, text)
            continue
        if event.data.strip() == _DONE:
            answer.finished = True
            break
        found = _parsed(event.data)
        if found is _NOT_JSON and not response.complete and next(stream, None) is None:
            # The connection broke inside this event.
            break
        if not _take(reader, event.at_ns, found, response.status):
            break
        if template is not None:
            template.learn(event.data, found)
    return _result(reader)


def _parsed(data: bytes) -> Any:
    try:
        return from_json(data)
    except ValueError:
        return _NOT_JSON


def _take(reader: Reader, at_ns: int, found: Any, status: int) -> bool:
    """Read one chunk, or a list of them; False when the answer cannot go on."""
    if found is _NOT_JSON:
        return _broken(reader, "The stream holds a chunk that is not JSON.", status)
    for chunk in found if isinstance(found, list) else (found,):
        if error := error_in(chunk, status):
            reader.answer.error = error
            return False
        if not isinstance(chunk, dict):
            continue
        try:
            reader.take(at_ns, chunk)
        except _STRANGE:
            text = "The stream holds a chunk that is not in the provider's own format."
            return _broken(reader, text, status)
    return True


def _broken(reader: Reader, text: str, status: int) -> bool:
    reader.answer.error = ProviderError("stream_broken", text, status=status)
    return False


def _result(reader: Reader) -> Decoded:
    try:
        usage = reader.usage()
    except _STRANGE:
        usage = Usage()
    return reader.answer.result(usage)
