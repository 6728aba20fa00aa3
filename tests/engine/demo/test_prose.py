"""The text generator: about the topic, repeatable, varied."""

from __future__ import annotations

import itertools
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.demo.prose import topic_of, write
from engine.demo.tokens import split

PROMPT = "Explain how tides work."


def test_an_answer_is_about_the_prompts_topic() -> None:
    assert "tides" in "".join(write(PROMPT, 120, Random(1)))
    assert "recursion" in "".join(write("Please explain recursion", 120, Random(1)))


@pytest.mark.parametrize(
    ("prompt", "topic"),
    [
        ("Explain recursion to a new programmer, with one short example.", "recursion"),
        ("A long filler about harbours and cranes.\n\nWhat makes bread rise?", "bread"),
        ("What is a Lagrangian?", "lagrangian"),
        ("  Explain volcanoes  \n\n", "volcanoes"),
        ("???", "the question"),
        ("", "the question"),
    ],
)
def test_the_topic_is_the_first_telling_word_of_the_last_line(prompt: str, topic: str) -> None:
    assert topic_of(prompt) == topic


def test_the_same_dice_write_the_same_text_and_others_do_not() -> None:
    assert write(PROMPT, 200, Random(4)) == write(PROMPT, 200, Random(4))
    assert write(PROMPT, 200, Random(4)) != write(PROMPT, 200, Random(5))


def test_a_longer_answer_begins_like_the_shorter_one() -> None:
    short, long = write(PROMPT, 50, Random(2)), write(PROMPT, 400, Random(2))
    assert long[: len(short)] == short


@given(st.text(max_size=200), st.integers(1, 600), st.integers(0, 2**32))
def test_a_text_has_the_length_and_ends_with_a_sentence(
    prompt: str, length: int, seed: int
) -> None:
    tokens = write(prompt, length, Random(seed))
    text = "".join(tokens)
    assert length <= len(tokens) < length + 120
    assert text.endswith(".")
    assert split(text) == tokens
    assert "{" not in text.replace(topic_of(prompt), "")


def test_no_client_takes_a_long_answer_for_a_repetition() -> None:
    tokens = write(PROMPT, 5_000, Random(3))
    longest = max(len(list(run)) for _, run in itertools.groupby(tokens))
    assert longest == 1
    assert len(set(tokens)) > 250
