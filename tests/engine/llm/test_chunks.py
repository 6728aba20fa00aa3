"""What the fast readers share: any cut of a valid stream is the same answer."""

from __future__ import annotations

import itertools
import json
from array import array
from typing import Any, NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.llm.answer import Decoded
from engine.llm.chunks import STEP_CHUNKS
from engine.llm.decode import decode, decode_in_steps
from engine.llm.exchange import Capture
from tests.engine.llm.formats import (
    ALL,
    MODELS,
    TYPES,
    event_bytes,
    one_read_each,
    openai,
    recorded,
    usage,
)
from tests.engine.llm.streams import capture_of, chunked, delta, head, sse

COMMENTS = (b"", b": waiting{end}", b":{end}{end}", b"id: 7{end}retry: 10{end}{end}")


def answer_of(decoded: Decoded) -> tuple[Any, ...]:
    """All of an answer but its times."""
    events = [(event.part, event.chars, event.tokens) for event in decoded.events]
    calls = [sorted(call.items()) for call in decoded.tool_calls]
    return (events, decoded.text, decoded.reasoning, calls, decoded.usage,
            decoded.finish_reason, decoded.finished, decoded.error)  # fmt: skip


class Wire(NamedTuple):
    """A response as bytes; `ends[i]` is how many of them complete event i."""

    data: bytes
    ends: list[int]


def written(model: str, name: str, draw: st.DataObject) -> Wire:
    """The stream with some line end, byte-order mark, comments and framing."""
    end = draw.draw(st.sampled_from(("\n", "\r\n", "\r")))
    body = b"\xef\xbb\xbf" if draw.draw(st.booleans()) else b""
    complete = []
    for event in MODELS[model][name]:
        comment = b"" if model in TYPES else draw.draw(st.sampled_from(COMMENTS))
        body += comment.replace(b"{end}", end.encode()) + event_bytes(event, end)
        # The CR of a CRLF ends its line already.
        empty_line = len(end) if model in TYPES else 0
        complete.append(len(body) - empty_line - (end == "\r\n"))
    frames = sorted(draw.draw(st.sets(st.integers(1, len(body) - 1), max_size=12)))
    data, ends = head(*TYPES.get(model, ())), []
    for start, stop in itertools.pairwise([0, *frames, len(body)]):
        mark = b"%x\r\n" % (stop - start)
        at = len(data) + len(mark) - start
        ends += [at + byte for byte in complete if start < byte <= stop]
        data += mark + body[start:stop] + b"\r\n"
    return Wire(data + b"0\r\n\r\n", ends)


@pytest.mark.parametrize(("model", "name"), ALL)
@settings(max_examples=10)
@given(draw=st.data())
def test_any_writing_and_any_cut_of_a_stream_is_the_same_answer_with_the_same_order_of_times(
    model: str, name: str, draw: st.DataObject
) -> None:
    plain = decode(recorded(model, name), model, ())
    whole = written(model, name, draw)
    cuts = sorted(draw.draw(st.sets(st.integers(1, len(whole.data) - 1), max_size=25)))
    bounds = [0, *cuts, len(whole.data)]
    reads = [whole.data[a:b] for a, b in itertools.pairwise(bounds)]
    decoded = decode(capture_of(*reads, step_ns=1), model, ())
    assert answer_of(decoded) == answer_of(plain)
    # An event has the time of the read that completed it: reads come at 1, 2, 3 ... ns, and
    # in the plain capture event i came at i + 2 ms.
    due = [next(n for n, b in enumerate(bounds) if b >= byte) for byte in whole.ends]
    assert [e.at_ns for e in decoded.events] == [
        due[event.at_ns // 1_000_000 - 2] for event in plain.events
    ]


@pytest.mark.parametrize("model", MODELS)
def test_every_single_cut_of_a_stream_is_the_same_answer(model: str) -> None:
    plain = recorded(model, "tools")
    whole, expected = b"".join(plain.chunks), answer_of(decode(plain, model, ()))
    for cut in range(1, len(whole)):
        capture = Capture(
            times=array("q", (1, 2)), chunks=[whole[:cut], whole[cut:]], ended="complete"
        )
        decoded = decode(capture, model, ())
        assert answer_of(decoded) == expected, cut
        times = [event.at_ns for event in decoded.events]
        assert times == sorted(times)


@pytest.mark.parametrize(("model", "name"), ALL)
def test_a_stream_that_is_cut_gives_the_beginning_of_its_answer(model: str, name: str) -> None:
    plain = recorded(model, name)
    whole, expected = b"".join(plain.chunks), decode(plain, model, ())
    for cut in range(len(plain.chunks[0]) + 1, len(whole), 7):
        decoded = decode(capture_of(whole[:cut], ended="eof"), model, ())
        assert expected.text.startswith(decoded.text), cut
        assert expected.reasoning.startswith(decoded.reasoning)
        assert len(decoded.events) <= len(expected.events)
        assert decoded.error is None, (cut, decoded.error)
        if decoded.events != [] and decoded.usage.output is not None:
            assert decoded.usage.output == expected.usage.output


def test_decoding_gives_way_after_every_few_chunks() -> None:
    stream = openai(*(delta("x") for _ in range(4 * STEP_CHUNKS)), usage(1, 4 * STEP_CHUNKS))
    assert sum(1 for _ in decode_in_steps(one_read_each(stream), "openai/m", ())) == 4


def test_a_list_of_chunks_in_one_event_is_read_whole() -> None:
    decoded = decode(capture_of(head() + chunked(b"data: [{}, 1, null]\n\n")), "openai/m", ())
    assert (decoded.events, decoded.error) == ([], None)


STRANGE = (
    {"choices": 7, "candidates": 7, "type": "message_start", "message": 7},
    {"usage": 3, "usageMetadata": 3, "type": "message_delta", "delta": [1], "message": [1]},
)


@pytest.mark.parametrize("strange", STRANGE)
@pytest.mark.parametrize("model", MODELS)
def test_a_chunk_of_an_unforeseen_shape_ends_the_answer_in_words(
    model: str, strange: dict[str, Any]
) -> None:
    decoded = decode(capture_of(head() + chunked(sse(strange))), model, ())
    assert decoded.error is not None
    assert decoded.error.kind == "stream_broken"
    assert "format" in decoded.error.message


FIELDS = st.sampled_from(
    "type delta choices usage content candidates parts text message usageMetadata content_block "
    "index functionCall tool_calls error promptTokenCount".split()
)
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(FIELDS, inner, max_size=4),
    max_leaves=12,
)
KINDS = (
    *("message_start", "content_block_delta", "content_block_start", "message_delta"),
    *("content-delta", "tool-call-delta", "message-end"),
)


@pytest.mark.parametrize("model", MODELS)
@settings(max_examples=25)
@given(data=ANYTHING, kind=st.sampled_from(KINDS))
def test_no_json_whatever_breaks_a_reader(model: str, data: Any, kind: str) -> None:
    chunk = {"type": kind, **data} if isinstance(data, dict) else data
    capture = capture_of(head() + chunked(sse(json.dumps(chunk))))
    assert isinstance(decode(capture, model, ()), Decoded)
