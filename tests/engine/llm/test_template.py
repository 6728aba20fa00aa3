"""The short way through a stream gives what the parser gives."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.llm.answer import Decoded
from engine.llm.chunks import read_in_steps
from engine.llm.http import parse_response
from engine.llm.openai_stream import OpenAIReader
from engine.llm.template import Template
from tests.engine.llm.streams import capture_of, chunked, delta, head, sse


def decoded(bodies: list[bytes], template: Template | None) -> Decoded:
    response = parse_response(capture_of(head(), *(chunked(body)[:-5] for body in bodies)))
    steps = read_in_steps(response, OpenAIReader(), template)
    while True:
        try:
            next(steps)
        except StopIteration as end:
            result: Decoded = end.value
            return result


class Counting(Template):
    """Knows how many chunks it read."""

    def __init__(self) -> None:
        super().__init__()
        self.read = 0

    def text_in(self, data: bytes) -> str | None:
        text = super().text_in(data)
        self.read += text is not None
        return text


def both_ways(bodies: list[bytes]) -> Counting:
    """Decode with and without it; they must agree."""
    template = Counting()
    one, other = decoded(bodies, template), decoded(bodies, None)
    # Exceptions are equal to themselves alone.
    assert str(one.error) == str(other.error)
    assert replace(one, error=None) == replace(other, error=None)
    return template


def event(chunk: dict[str, Any], ascii_only: bool) -> bytes:
    return f"data: {json.dumps(chunk, ensure_ascii=ascii_only)}\n\n".encode()


ODD = (
    delta(""),
    delta("more", finish_reason=None),
    delta("later", created=2),
    delta("m"),
    delta("a", usage={"prompt_tokens": 1, "completion_tokens": 2}),
    delta("a", usage=None),
    delta(delta={"content": "a", "reasoning_content": "b"}),
    delta(delta={"content": "a", "role": "assistant"}),
    delta(delta={"content": None}),
    delta(finish_reason="stop"),
    {"id": "c", "choices": []},
    {"choices": [{"index": 1, "delta": {"content": "second"}}]},
)


@given(
    st.lists(st.text(max_size=12) | st.sampled_from(ODD), max_size=14),
    st.booleans(),
)
def test_any_stream_is_read_as_the_parser_reads_it(
    items: list[str | dict[str, Any]], ascii_only: bool
) -> None:
    chunks = [delta(item) if isinstance(item, str) else item for item in items]
    both_ways([event(chunk, ascii_only) for chunk in [*chunks, ODD[-3]]])


def test_all_but_the_first_chunk_of_a_plain_stream_go_the_short_way() -> None:
    bodies = [sse(delta(f"w{number} Grüße 🌍")) for number in range(20)]
    assert both_ways(bodies).read == 19


def test_a_text_that_also_stands_elsewhere_is_not_learnt_from() -> None:
    """The first "m" of the chunk is the model's name."""
    assert both_ways([sse(delta("m")), sse(delta("x")), sse(delta("y"))]).read == 1


@pytest.mark.parametrize("text", ['say "hi"', "a\\b", "line\nend", "tab\t"])
def test_a_text_that_json_escapes_goes_the_long_way(text: str) -> None:
    assert both_ways([sse(delta("plain")), sse(delta(text)), sse(delta("plain"))]).read == 1


def test_a_chunk_too_short_to_hold_both_sides_is_not_taken_for_one() -> None:
    bodies = [sse(delta("plain")), sse('{"id": "c", "object": "chat.completion.chunk"}')]
    assert both_ways(bodies).read == 0


def test_bytes_that_are_no_utf_8_go_the_long_way() -> None:
    wrong = sse(delta("plain")).replace(b"plain", b"\xff\xfe")
    template = both_ways([sse(delta("plain")), wrong])
    assert template.read == 0


def test_a_stream_whose_chunks_always_change_is_given_up() -> None:
    bodies = [sse(delta(f"w{number}", padding="x" * number)) for number in range(1, 30)]
    template = both_ways(bodies)
    assert template.read == 0
    assert template._lessons == 8
