"""The recall probe's fact, and what counts as having read it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from engine.samples import Sample, SampleKey
from engine.speed.recall import DEEPEST, SHALLOWEST, Fact, fact_of, recalled

FACT = Fact("windmill", "cobalt-4821", 0.4)
SAMPLE = Sample(SampleKey("p", "m", 1000, 0, False), "ok", ttfa_ms=90.0)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("The access code of the windmill is cobalt-4821.", True),
        ("**Cobalt‑4821**\n\nRecursion is", True),
        ("COBALT 4821", True),
        ("`cobalt_4821`", True),
        ("cobalt-4812", False),
        ("4821", False),
        ("I found no code.", False),
        ("", False),
    ],
)
def test_the_code_counts_however_it_is_punctuated(text: str, found: bool) -> None:
    assert recalled(replace(SAMPLE, text=text), FACT) is found


@pytest.mark.parametrize(
    "sample",
    [
        replace(SAMPLE, outcome="failed", text="cobalt-4821"),
        replace(SAMPLE, outcome="incomplete", text="cobalt-4821"),
        replace(SAMPLE, ttfa_ms=None, text="I think that cobalt"),
    ],
)
def test_without_a_whole_answer_nothing_is_said(sample: Sample) -> None:
    assert recalled(sample, FACT) is None
    assert recalled(SAMPLE, None) is None


def test_facts_are_spread_over_the_filler_and_repeat_with_their_seed() -> None:
    facts = [fact_of(1, 5000, number) for number in range(400)]
    depths = sorted(fact.depth for fact in facts)
    assert depths[0] >= SHALLOWEST
    assert depths[-1] <= DEEPEST
    assert depths[100] == pytest.approx(0.275, abs=0.02)
    assert depths[300] == pytest.approx(0.725, abs=0.02)
    few = sorted(fact.depth for fact in facts[:5])
    assert few[0] < 0.3
    assert few[-1] > 0.7
    assert len({fact.code for fact in facts}) > 380
    assert facts == [fact_of(1, 5000, number) for number in range(400)]
