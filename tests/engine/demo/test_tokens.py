"""The demo tokenizer: counts mean something only if its definition holds for any text."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.demo.tokens import compact, count, input_tokens, split

TEXTS = st.text(alphabet=st.characters(codec="utf-8")) | st.text(alphabet="ab_ 12.,{}\n\tÄ東")


@given(TEXTS)
def test_tokens_joined_are_the_text(text: str) -> None:
    assert "".join(split(text)) == text
    assert count(text) == len(split(text))


@given(TEXTS, st.integers(0, 40))
def test_a_text_cut_between_tokens_counts_as_the_tokens_before_the_cut(text: str, n: int) -> None:
    tokens = split(text)[:n]
    assert split("".join(tokens)) == tokens


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("A short walk.", ["A", " short", " walk", "."]),
        ("misunderstanding", ["misunders", "tanding"]),
        ("max_tokens=512", ["max", "_tokens", "=", "512"]),
        ("in 20261123", ["in", " 202", "611", "23"]),
        ("one\n\n  two", ["one", "\n\n  ", "two"]),
        ('{"a":[1]}', ['{"', "a", '":[', "1", "]}"]),
        ("", []),
    ],
)
def test_the_definition_by_example(text: str, tokens: list[str]) -> None:
    assert split(text) == tokens


def test_a_message_costs_four_tokens_beside_its_text_and_the_answer_three() -> None:
    assert len(input_tokens([("user", "A short walk.")])) == 4 + 4 + 3
    assert len(input_tokens([("system", ""), ("user", "Walk")])) == 4 + 4 + 1 + 3


def test_a_tool_costs_its_compact_json() -> None:
    tool = {"type": "function", "function": {"name": "walk", "parameters": {}}}
    assert len(input_tokens([], [tool])) == count(compact(tool)) + 3


def test_prose_counts_come_out_near_four_and_a_half_characters_a_token() -> None:
    prose = (
        "Every benchmark that reports one number hides a distribution behind it, and the "
        "distribution is usually the more interesting of the two. Ask where the slow ones are."
    )
    assert 4.0 < len(prose) / count(prose) < 5.5
