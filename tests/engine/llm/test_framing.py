"""Where a response ends."""

from __future__ import annotations

import itertools

from hypothesis import given
from hypothesis import strategies as st

from engine.llm.framing import ResponseEnd
from tests.engine.llm.streams import ANSWER, chunked, head, sse


def end_of(*reads: bytes) -> tuple[int | None, ResponseEnd]:
    """The index of the read at which the response was complete."""
    end = ResponseEnd()
    for index, read in enumerate(reads):
        if end.feed(read):
            return index, end
    return None, end


@given(st.data())
def test_a_chunked_response_is_complete_exactly_with_its_last_byte(data: st.DataObject) -> None:
    whole = head() + chunked(sse(*ANSWER, end="\r\n\r\n"), b"data: 0\r\n\r\n")
    cuts = sorted(data.draw(st.sets(st.integers(1, len(whole) - 1), max_size=12)))
    bounds = [0, *cuts, len(whole)]
    reads = [whole[a:b] for a, b in itertools.pairwise(bounds)]
    at, end = end_of(*reads)
    assert at == len(reads) - 1
    assert end.keep_alive


def test_trailers_after_the_last_chunk_belong_to_the_message() -> None:
    reads = [head() + b"3\r\nabc\r\n0\r\n", b"x-cost: 1\r\n", b"\r\n"]
    assert end_of(*reads)[0] == 2


def test_a_body_with_a_length_ends_with_its_last_byte() -> None:
    start = head("content-length: 5", chunked=False)
    assert end_of(start + b"ab", b"cd", b"e")[0] == 2


def test_a_body_without_length_ends_with_the_connection() -> None:
    at, end = end_of(head(chunked=False) + b"data: x\n\n", b"data: y\n\n")
    assert at is None
    assert end.feed_eof()


def test_a_chunked_body_that_stops_early_did_not_end() -> None:
    _, end = end_of(head() + b"5\r\nab")
    assert not end.feed_eof()


def test_an_interim_answer_is_followed_by_the_real_one() -> None:
    reads = [b"HTTP/1.1 100 Continue\r\n\r\n", head("content-length: 2", chunked=False), b"ok"]
    assert end_of(*reads)[0] == 2


def test_a_server_that_closes_after_its_answer_says_so() -> None:
    _, end = end_of(head("connection: close", "content-length: 2", chunked=False) + b"ok")
    assert not end.keep_alive


def test_bytes_that_are_not_http_end_the_reading() -> None:
    at, end = end_of(b"SSH-2.0-OpenSSH_9.2\r\n")
    assert at == 0
    assert end.broken
