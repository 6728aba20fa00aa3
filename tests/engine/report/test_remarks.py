"""What is said beside speed: recall, and what a prefix cache answered."""

from __future__ import annotations

from engine.report import remarks
from engine.samples import Tokens
from tests.engine.report.builders import report, sample


def test_a_plain_run_needs_no_word() -> None:
    assert remarks(report([sample(), sample(run=1)])) == []


def test_recall_is_said_by_context_size_and_model() -> None:
    samples = [
        sample(model, run, context_tokens=size, recall=run < good)
        for size, model, good in ((1_000, "fast", 2), (1_000, "slow", 2), (20_000, "fast", 1))
        for run in range(2)
    ]
    assert remarks(report(samples, context_tiers=(0, 1_000, 20_000))) == [
        "Hidden fact recalled at 1K tokens of context: fast 2 of 2, slow 2 of 2.",
        "Hidden fact recalled at 20K tokens of context: fast 1 of 2.",
    ]


def test_what_a_cache_answered_is_said_from_one_percent_on() -> None:
    for cached, words in ((1, 0), (10, 0), (11, 1), (900, 1)):
        found = remarks(report([sample(tokens=Tokens(1_000, 10, 0, cached, "usage"))]))
        assert len(found) == words, cached
    assert "90" in found[0]
    assert "for fast at 0 tokens" in found[0]
