"""Prompts: sized for the model's own tokenizer, and mixed."""

from __future__ import annotations

import random

import pytest

from engine.llm.tokens import Encoding, count_tokens, encoding_of
from engine.speed.filler import prompt_with, synthetic_prompt
from engine.speed.recall import fact_of

ASK = "Which place stores the most lamps?"
NONCE = "0123456789abcdef"


@pytest.mark.parametrize("encoding", ["cl100k_base", "o200k_base"])
@pytest.mark.parametrize("tier", [300, 1_000, 5_000, 20_000])
@pytest.mark.parametrize("hidden", [False, True])
def test_a_tier_is_met_within_one_percent(tier: int, encoding: Encoding, hidden: bool) -> None:
    fact = fact_of(1, tier) if hidden else None
    prompt = prompt_with(NONCE, ASK, tier, random.Random(tier), encoding, fact)
    assert abs(count_tokens(prompt, encoding) - tier) <= tier * 0.01


def test_tier_zero_is_the_question_behind_a_nonce() -> None:
    assert prompt_with(NONCE, ASK, 0, random.Random(1)) == f"[{NONCE}]\n{ASK}"


def test_filler_mixes_prose_code_json_and_tables() -> None:
    prompt = prompt_with(NONCE, ASK, 5000, random.Random(1))
    for sign in ("says ", "def ", '"rows"', "|---|"):
        assert sign in prompt


@pytest.mark.parametrize("tokens", [1, 20, 40, 41, 200, 3_000])
def test_synthetic_input_has_the_length_that_was_drawn(tokens: int) -> None:
    counted = count_tokens(synthetic_prompt(NONCE, tokens, random.Random(1)))
    assert counted - tokens == pytest.approx(0, abs=max(1, tokens * 0.01)) or tokens < 25 > counted


@pytest.mark.parametrize("tier", [60, 100, 1_000, 8_000])
def test_a_fact_lies_in_the_filler_where_it_was_put(tier: int) -> None:
    for number in range(20):
        fact = fact_of(tier, number)
        prompt = prompt_with(NONCE, ASK, tier, random.Random(number), fact=fact)
        before, found, after = prompt.partition(fact.statement)
        assert found
        assert fact.question in after
        assert after.endswith(ASK)
        if tier >= 1_000:
            assert len(before) / len(prompt) == pytest.approx(fact.depth, abs=0.15)


@pytest.mark.parametrize(
    ("model", "encoding"),
    [
        ("openai/gpt-4o-mini", "o200k_base"),
        ("openai/gpt-6-luna", "o200k_base"),
        ("openai/ft:gpt-4.1:mine", "o200k_base"),
        ("azure/o3-mini", "o200k_base"),
        ("gpt-5", "o200k_base"),
        ("openai/gpt-4", "cl100k_base"),
        ("openai/gpt-4-turbo", "cl100k_base"),
        ("openai/gpt-3.5-turbo", "cl100k_base"),
        ("anthropic/claude-haiku-4-5", "cl100k_base"),
        ("openai/o200-of-my-own", "cl100k_base"),
    ],
)
def test_a_model_of_openai_is_counted_by_its_own_table(model: str, encoding: Encoding) -> None:
    assert encoding_of(model) == encoding
