"""Server-sent events, cut anywhere."""

from __future__ import annotations

import itertools

from hypothesis import given
from hypothesis import strategies as st

from engine.llm.sse import events
from tests.engine.llm.streams import ANSWER, pieces_of, sse

WHOLE = {
    end: b": a comment\nid: 7\n\n" + sse(*ANSWER, end=end) for end in ("\n\n", "\r\n\r\n", "\r\r")
}


@given(st.sampled_from(sorted(WHOLE)), st.data())
def test_cutting_a_stream_anywhere_changes_neither_events_nor_their_order(
    end: str, data: st.DataObject
) -> None:
    whole = WHOLE[end]
    cuts = sorted(data.draw(st.sets(st.integers(1, len(whole) - 1), max_size=20)))
    bounds = [0, *cuts, len(whole)]
    cut = list(events(pieces_of(*(whole[a:b] for a, b in itertools.pairwise(bounds)))))
    assert [event.data for event in cut] == [e.data for e in events(pieces_of(whole))]
    assert [event.at_ns for event in cut] == sorted(event.at_ns for event in cut)


def test_an_event_takes_the_time_of_the_read_that_completed_it() -> None:
    found = list(events(pieces_of(b"data: on", b"e\n", b"\ndata: two\n\n")))
    assert [(e.at_ns, e.data) for e in found] == [(3, b"one"), (3, b"two")]


def test_several_data_lines_are_one_event() -> None:
    assert [e.data for e in events(pieces_of(b"data: a\ndata: b\n\n"))] == [b"a\nb"]


def test_a_byte_order_mark_is_passed_over_even_when_it_is_cut() -> None:
    assert [e.data for e in events(pieces_of(b"\xef", b"\xbb\xbfdata: x\n\n"))] == [b"x"]


def test_a_last_event_without_its_empty_line_is_given() -> None:
    assert [e.data for e in events(pieces_of(b"data: a\n\ndata: b"))] == [b"a", b"b"]


def test_named_events_keep_their_name() -> None:
    found = list(events(pieces_of(b"event: ping\ndata: {}\n\ndata: x\n\n")))
    assert [(e.name, e.data) for e in found] == [("ping", b"{}"), ("", b"x")]


def test_a_comment_between_events_is_no_event() -> None:
    assert list(events(pieces_of(b": keep-alive\n\n:\n\n"))) == []


def test_one_huge_line_in_small_pieces_is_joined_once() -> None:
    # Joined anew at each piece, this would copy 100 GB.
    piece = b"x" * 32
    stream = [b"data: ", *([piece] * 80_000), b"\n\n"]
    (event,) = events(pieces_of(*stream))
    assert (len(event.data), event.at_ns) == (80_000 * 32, len(stream))


def test_a_stream_may_begin_with_line_ends_of_one_byte_each() -> None:
    found = list(events(pieces_of(b"\n", b"\n", b"data: x", b"\n", b"\n")))
    assert [(event.at_ns, event.data) for event in found] == [(5, b"x")]
