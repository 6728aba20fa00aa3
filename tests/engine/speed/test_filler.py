"""Prompts: sized, mixed, and never alike at their beginning."""

from __future__ import annotations

from itertools import takewhile

import pytest

from engine.llm.tokens import count_tokens
from engine.samples import SampleKey
from engine.speed.filler import build_prompt

ASK = "Which place stores the most lamps?"


def key(run: int, tier: int = 1000, warmup: bool = False) -> SampleKey:
    return SampleKey("p", "m", tier, run, warmup)


@pytest.mark.parametrize("tier", [500, 1_000, 5_000, 20_000])
def test_a_tier_is_met_within_one_percent(tier: int) -> None:
    counted = count_tokens(build_prompt(ASK, tier, key(0, tier), seed=1))
    assert abs(counted - tier) <= tier * 0.01


def test_tier_zero_is_the_question_behind_a_nonce() -> None:
    prompt = build_prompt(ASK, 0, key(0, 0), seed=1)
    assert prompt.endswith(ASK)
    assert len(prompt) < len(ASK) + 25


def common_prefix(one: str, other: str) -> str:
    pairs = zip(one, other, strict=False)
    return "".join(a for a, _ in takewhile(lambda pair: pair[0] == pair[1], pairs))


def test_two_samples_share_no_prefix_a_cache_could_answer() -> None:
    keys = [key(run, warmup=warm) for run in range(12) for warm in (False, True)]
    prompts = [build_prompt(ASK, 1000, k, seed=1) for k in keys]
    for index, one in enumerate(prompts):
        for other in prompts[index + 1 :]:
            assert count_tokens(common_prefix(one, other)) <= 16


def test_the_same_seed_repeats_a_prompt_exactly() -> None:
    assert build_prompt(ASK, 1000, key(3), 7) == build_prompt(ASK, 1000, key(3), 7)
    assert build_prompt(ASK, 1000, key(3), 7) != build_prompt(ASK, 1000, key(3), 8)


def test_filler_mixes_prose_code_json_and_tables() -> None:
    prompt = build_prompt(ASK, 5000, key(0, 5000), seed=1)
    for sign in ("says ", "def ", '"rows"', "|---|"):
        assert sign in prompt
