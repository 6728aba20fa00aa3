"""What decoders collect an answer in."""

from __future__ import annotations

import pytest

from engine.llm.answer import CallDelta, Collector, TokenEvent, Usage, count


def test_what_is_empty_or_no_text_is_no_token() -> None:
    answer = Collector()
    answer.text(1, "")
    answer.text(1, None)
    answer.reasoning(1, 7)
    answer.tool(1, [CallDelta(0, "id", "", "")])
    assert answer.empty
    assert answer.result(Usage()).events == []


def test_pieces_become_text_reasoning_and_events() -> None:
    answer = Collector()
    answer.reasoning(1, "hm")
    answer.text(2, "Grü")
    answer.text(3, "ße")
    decoded = answer.result(Usage(output=3))
    assert (decoded.reasoning, decoded.text, decoded.usage.output) == ("hm", "Grüße", 3)
    assert decoded.events == [
        TokenEvent(1, "reasoning", 2),
        TokenEvent(2, "text", 3),
        TokenEvent(3, "text", 2),
    ]


def test_calls_are_joined_by_number_however_they_are_mixed() -> None:
    answer = Collector()
    answer.tool(1, [CallDelta(1, "b", "two", ""), CallDelta(0, "a", "one", "{")])
    answer.tool(2, [CallDelta(0, "again", "", "}"), CallDelta(1, "", "", "[]")])
    decoded = answer.result(Usage())
    assert decoded.tool_calls == [
        {"id": "a", "name": "one", "arguments": "{}"},
        {"id": "b", "name": "two", "arguments": "[]"},
    ]
    assert [(event.at_ns, event.chars) for event in decoded.events] == [(1, 7), (2, 3)]


def test_tokens_of_events_are_given_only_where_all_have_them() -> None:
    answer = Collector()
    answer.text(1, "a", 2)
    answer.text(2, "b", 1)
    assert [event.tokens for event in answer.result(Usage()).events] == [2, 1]
    answer.text(3, "c")
    assert [event.tokens for event in answer.result(Usage()).events] == [None, None, None]


def test_a_reason_to_end_is_an_end() -> None:
    answer = Collector()
    assert not answer.result(Usage()).finished
    answer.finish("length")
    decoded = answer.result(Usage())
    assert (decoded.finished, decoded.finish_reason) == (True, "length")


@pytest.mark.parametrize(
    ("value", "counted"), [(0, 0), (7, 7), (-1, None), (True, None), (1.5, None), ("7", None)]
)
def test_a_count_is_a_whole_number_from_0_on(value: object, counted: int | None) -> None:
    assert count(value) == counted
