"""Results of one set of prompts are compared prompt by prompt."""

from __future__ import annotations

import random
from typing import Any

from engine.report import Result
from engine.report.pairing import LEAST_PAIRS, versus
from engine.samples import Sample
from engine.stats import compare
from tests.engine.report.builders import report, sample

PROMPTS = [{"prompt": f"Question {n}"} for n in range(12)]


def speeds(model: str, gain: float, prompts: int = 12, rounds: int = 1) -> list[Sample]:
    """Prompts differ far more from each other than the models do."""
    luck = random.Random(model)
    return [
        sample(
            model,
            run,
            prompt_index=run % prompts,
            output_tps=gain * 40 * 1.4 ** (run % prompts) * luck.uniform(0.995, 1.005),
        )
        for run in range(prompts * rounds)
    ]


def pair(one: list[Sample], other: list[Sample], **spec: Any) -> tuple[Result, Result]:
    a, b = report([*one, *other], **{"prompts": PROMPTS, "runs": 12, **spec})
    return a, b


def test_a_small_steady_lead_is_found_that_the_spread_of_prompts_hides() -> None:
    a, b = pair(speeds("a", 1.04), speeds("b", 1.0))
    assert versus(a, b, "output_tps", higher_is_better=True).verdict == "faster"
    unpaired = compare(a.values("output_tps"), b.values("output_tps"))
    assert unpaired.verdict == "not distinguishable"


def test_a_prompt_that_was_asked_several_times_is_one_pair() -> None:
    a, b = pair(speeds("a", 1.04, rounds=3), speeds("b", 1.0, rounds=2))
    found = versus(a, b, "output_tps", higher_is_better=True)
    assert found.n == (12, 12)
    assert found.verdict == "faster"


def test_a_prompt_without_an_answer_on_one_side_is_left_out() -> None:
    a, b = pair(speeds("a", 1.04)[:9], speeds("b", 1.0)[2:])
    assert versus(a, b, "output_tps", higher_is_better=True).n == (7, 7)


def test_few_pairs_or_other_prompts_are_compared_as_groups() -> None:
    a, b = pair(speeds("a", 1.04)[: LEAST_PAIRS - 1], speeds("b", 1.0))
    assert versus(a, b, "output_tps", higher_is_better=True).n == (5, 12)
    mine, _ = pair(speeds("a", 1.04), speeds("b", 1.0))
    _, theirs = pair(speeds("a", 1.04), speeds("b", 1.0), prompts=PROMPTS[::-1])
    assert mine.prompts != theirs.prompts
    single, other = pair(speeds("a", 1.04), speeds("b", 1.0), prompts=[])
    assert single.prompts == other.prompts == ""
    for left, right in ((mine, theirs), (single, other)):
        found = versus(left, right, "output_tps", higher_is_better=True)
        plain = compare(left.values("output_tps"), right.values("output_tps"))
        assert found == plain


def test_drawn_lengths_belong_together_when_the_same_seed_drew_them() -> None:
    drawn = {"input_mean": 50, "output_mean": 20}
    mine, same = pair(speeds("a", 1), speeds("b", 1), prompts=[], synthetic=drawn)
    _, other = pair(speeds("a", 1), speeds("b", 1), prompts=[], synthetic=drawn, seed=2)
    assert mine.prompts == same.prompts != other.prompts
