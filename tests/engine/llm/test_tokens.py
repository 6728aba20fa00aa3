"""Which tokenizer a model has, and counting by it."""

from __future__ import annotations

import pytest

from engine.llm.tokens import ESTIMATE, count_tokens, cut_to_tokens, encoding_of, tokenizer_of


@pytest.mark.parametrize(
    ("model", "encoding"),
    [
        ("openai/gpt-4o", "o200k_base"),
        ("gpt-4o-mini", "o200k_base"),
        ("openai/gpt-5.6", "o200k_base"),
        ("azure/o3-mini", "o200k_base"),
        ("openai/gpt-4.1", "o200k_base"),
        ("openai/ft:gpt-4o-mini:acme", "o200k_base"),
        ("openai/gpt-4-turbo", "cl100k_base"),
        ("openai/gpt-3.5-turbo", "cl100k_base"),
        ("openai/llama-3", None),
        ("openai/o-model", None),
        ("anthropic/claude-sonnet-4-5", None),
        ("groq/openai/gpt-oss-120b", None),
    ],
)
def test_the_tokenizer_of_an_openai_model_is_known(model: str, encoding: str | None) -> None:
    assert tokenizer_of(model) == encoding
    assert encoding_of(model) == (encoding or ESTIMATE)


def test_the_two_tables_count_differently_and_without_the_network() -> None:
    text = "Übergrößenträger und Straßenbahnhaltestelle"
    assert count_tokens(text, "cl100k_base") != count_tokens(text, "o200k_base")


def test_a_cut_text_has_at_most_the_tokens_asked_for() -> None:
    text = "the sea rises and falls twice a day"
    assert cut_to_tokens(text, 3) == "the sea rises"
    assert cut_to_tokens(text, 99) == text
