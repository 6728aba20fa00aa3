"""The timeline: scripts change bytes and their borders, never tokens, moments or content."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from dataclasses import replace
from itertools import repeat
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.demo import timeline
from engine.demo.catalog import PLAIN, Script, catalog
from engine.demo.chat import Answer, ChatRequest, Message, Piece, Usage
from engine.demo.formats.openai import OPENAI
from engine.demo.timeline import Write
from engine.demo.tokens import split
from tests.engine.demo.client import events, finish, text

MS = 1_000_000
REQUEST = ChatRequest("m", (Message("user", "Explain tides"),))
WORDS = "Größere Öfen, später 東京: naïve figures settle before anyone can weigh them."


def answer(words: str = WORDS, thoughts: str = "") -> Answer:
    pieces = [Piece("reasoning", token) for token in split(thoughts)]
    pieces += [Piece("text", token) for token in split(words)]
    usage = Usage(9, len(pieces), len(split(thoughts)))
    return Answer("chatcmpl-1", "m", tuple(pieces), (), "stop", usage)


def laid_out(
    script: Script = PLAIN, given_answer: Answer | None = None, **more: Any
) -> list[Write]:
    said = given_answer or answer()
    how: dict[str, Any] = {"first_ns": 20 * MS, "gaps_ns": repeat(2 * MS), "usage_sent": True}
    encoder = OPENAI.encoder(said, REQUEST)
    return list(timeline.writes(said, encoder, script, rng=Random(1), **how | more))


def joined(stream: list[Write] | Iterator[Write]) -> bytes:
    return b"".join(write.data for write in stream)


def scripted(name: str, **more: Any) -> Script:
    return replace(catalog().scripts[name], **more)


def test_a_plain_answer_sends_one_token_a_write_at_its_gap() -> None:
    stream = laid_out()
    tokens = [write for write in stream if write.tokens]
    assert [write.at_ns for write in tokens] == [(20 + 2 * i) * MS for i in range(len(tokens))]
    assert [write.tokens for write in tokens] == [1] * len(split(WORDS))
    assert [write.closing for write in stream] == [False] * len(tokens) + [True]
    assert text(joined(stream)) == WORDS


@given(st.integers(1, 5), st.integers(0, 4), st.text(min_size=1, max_size=60))
def test_bundles_carry_every_token_once_and_in_time(low: int, more: int, words: str) -> None:
    script = replace(PLAIN, chunk_tokens=(low, low + more))
    said = answer(words, "First I think.")
    stream = laid_out(script, said)
    carried = [write for write in stream if write.tokens]
    assert sum(write.tokens for write in carried) == said.usage.output
    assert sum(write.tokens for write in carried if write.reasoning) == said.usage.reasoning
    assert all(write.tokens <= low + more for write in carried)
    sent = 0
    for write in carried:
        sent += write.tokens
        assert write.at_ns == (20 + 2 * (sent - 1)) * MS
    assert text(joined(stream)) == words
    assert text(joined(stream), "reasoning_content") == "First I think."


@settings(max_examples=40)
@given(st.integers(0, 2**32))
def test_recut_writes_carry_the_same_bytes_and_no_event_early(seed: int) -> None:
    plain = list(timeline.framed(laid_out(), b"HEAD\r\n\r\n", chunked=True))
    for choose in (timeline.cut_in_character, timeline.cut_anywhere(Random(seed))):
        moved = list(timeline.recut(plain, choose))
        assert joined(moved) == joined(plain)
        assert [w._replace(data=b"") for w in moved] == [w._replace(data=b"") for w in plain]
        due, sent = 0, 0
        for before, after in zip(plain[:-1], moved[:-1], strict=True):
            due, sent = due + len(before.data), sent + len(after.data)
            following = plain[plain.index(before) + 1].data
            assert due < sent <= due + len(following) - 6 + 1


def test_a_utf8_recut_breaks_every_character_of_several_bytes_that_starts_an_event() -> None:
    plain = timeline.framed(laid_out(), b"", chunked=False)
    broken = 0
    for write in timeline.recut(plain, timeline.cut_in_character):
        try:
            write.data.decode()
        except UnicodeDecodeError:
            broken += 1
    assert broken >= 5


def test_a_zipped_stream_can_be_read_write_by_write() -> None:
    from zlib import decompressobj

    plain = laid_out()
    unpack = decompressobj(wbits=31)
    zipped = list(timeline.zipped(plain))
    assert [unpack.decompress(write.data) for write in zipped] == [write.data for write in plain]
    assert gzip.decompress(joined(zipped)) == joined(plain)


@pytest.mark.parametrize("ending", ["cut", "hang"])
def test_an_answer_that_ends_badly_stops_after_its_share_without_closing(ending: Any) -> None:
    stream = laid_out(Script(ending=ending, ending_after=0.5))
    assert len(stream) == len(split(WORDS)) // 2
    assert not any(write.closing for write in stream)
    assert b'finish_reason":"' not in joined(stream)


def test_an_answer_of_one_token_may_be_cut_too() -> None:
    stream = laid_out(Script(ending="cut", ending_after=0.1), answer("One"))
    assert [write.tokens for write in stream] == [1]


def test_an_error_event_ends_a_stream_in_good_order() -> None:
    stream = laid_out(scripted("error-mid"))
    assert stream[-1].closing
    assert b'data: {"error":' in stream[-1].data
    assert b"[DONE]" not in joined(stream)


def test_a_malformed_event_takes_its_token_along() -> None:
    stream = laid_out(scripted("malformed"))
    silent = [write for write in stream if not write.tokens and not write.closing]
    assert len(silent) == 1
    assert sum(write.tokens for write in stream) == len(split(WORDS)) - 1


def test_the_role_may_come_long_before_the_first_token() -> None:
    role, first, *_ = laid_out(scripted("trap-role-only"))
    assert (role.at_ns, role.tokens) == (2 * MS, 0)
    assert first.at_ns == 20 * MS
    assert b'"role"' not in first.data


def test_an_empty_answer_opens_and_closes_and_says_nothing() -> None:
    stream = laid_out(PLAIN, answer(""))
    assert [(write.tokens, write.closing) for write in stream] == [(0, True)]
    assert finish(joined(stream)) == "stop"


def test_counts_in_every_event_grow_by_the_tokens_of_the_event() -> None:
    stream = laid_out(scripted("usage-every-chunk"))
    counted = [
        event["usage"]["completion_tokens"] for event in events(joined(stream)) if event["usage"]
    ]
    tokens = [write.tokens for write in stream if write.tokens]
    assert counted == [sum(tokens[: i + 1]) for i in range(len(tokens))] + [sum(tokens)]


def test_http_1_0_gets_the_events_as_they_are() -> None:
    plain = laid_out()
    assert joined(timeline.framed(plain, b"HEAD", chunked=False)) == b"HEAD" + joined(plain)
