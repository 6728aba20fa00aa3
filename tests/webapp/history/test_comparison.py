"""What is compared with what, and what may be claimed."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest

from engine.report import Result
from engine.report.wording import FIRST_TOKEN, SPEED
from engine.samples import Sample
from engine.stats import compare, holm
from engine.targets import Target
from tests.engine.report.builders import at_speed, failed, report, target
from tests.webapp.history.conftest import ladder
from webapp.history.comparison import Line, compare_runs, level, sizes
from webapp.history.words import verdicts


def run(*models: list[Sample], targets: list[Target] | None = None, **spec: object) -> list[Result]:
    samples = [sample for model in models for sample in model]
    return report(samples, targets, **spec)


FAST = at_speed("fast", ladder(180), ladder(100))
FASTER = at_speed("fast", ladder(200), ladder(80))
SLOW = at_speed("slow", ladder(90), ladder(400))


def test_b_is_compared_with_a() -> None:
    compared = compare_runs(run(FAST, SLOW), run(FASTER, SLOW))
    speed, same = compared.of(SPEED)
    assert (speed.a.label, speed.winner) == ("fast", "B")
    assert speed.versus.difference == pytest.approx(20)
    assert speed.versus.ratio == pytest.approx(200 / 180)
    assert (same.a.label, same.winner, same.versus.difference) == ("slow", "", 0)
    first, _ = compared.of(FIRST_TOKEN)
    assert first.winner == "B"
    assert first.versus.difference == pytest.approx(-20)
    assert compared.left == ()


def test_swapping_a_and_b_swaps_the_winner_and_the_sign() -> None:
    there = compare_runs(run(FAST), run(FASTER))
    back = compare_runs(run(FASTER), run(FAST))
    for one, other in zip(there.lines, back.lines, strict=True):
        assert (one.winner, other.winner) == ("B", "A")
        assert one.versus.difference == pytest.approx(-(other.versus.difference or 0))
        assert one.versus.p_value == pytest.approx(other.versus.p_value, abs=2e-3)


def test_p_values_count_every_line_of_the_page() -> None:
    a, b = run(FAST, SLOW), run(at_speed("fast", ladder(181), ladder(99)), SLOW)
    plain = [
        compare(theirs.values(metric.name), mine.values(metric.name)).p_value
        for metric in (SPEED, FIRST_TOKEN)
        for mine, theirs in zip(a, b, strict=True)
    ]
    compared = compare_runs(a, b)
    assert [line.versus.p_value for line in compared.lines] == holm([p or 0.0 for p in plain])


def test_a_place_is_a_model_of_a_provider_at_a_context_size() -> None:
    tiers = (0, 5_000)
    deep = at_speed("fast", ladder(150), context_tokens=5_000)
    here, there = target("fast"), target("fast", provider="acme")
    acme = at_speed("fast", ladder(50), provider="acme")
    a = run(FAST, deep, targets=[here], context_tiers=tiers)
    b = run(FASTER, deep, acme, targets=[here, there], context_tiers=tiers)
    compared = compare_runs(a, b)
    assert [line.a.context_tokens for line in compared.of(SPEED)] == [0, 5_000]
    assert [line.winner for line in compared.of(SPEED)] == ["B", ""]
    assert [(left.result.provider, left.reason) for left in compared.left] == [
        ("acme", "Only in B"),
        ("acme", "Only in B"),
    ]
    assert sizes(compared) == {0, 5_000}


def test_what_cannot_be_compared_is_named_with_its_reason() -> None:
    library = at_speed("timed", ladder(9), clock="library")
    wire = at_speed("timed", ladder(9), clock="kernel")
    broken = [failed("broken", i) for i in range(3)]
    fine = at_speed("broken", ladder(9))
    mute = [failed("mute")]
    compared = compare_runs(
        run(library, broken, mute, at_speed("mine", [1.0])),
        run(wire, fine, mute, at_speed("yours", [1.0])),
    )
    assert compared.lines == ()
    assert {left.result.model: left.reason for left in compared.left} == {
        "timed": "Timed by different clocks",
        "broken": "No answer in A",
        "mute": "No answer in A and B",
        "mine": "Only in A",
        "yours": "Only in B",
    }


def test_answers_of_one_token_have_a_first_token_but_no_speed() -> None:
    one_token = [replace(answer, output_tps=None) for answer in FAST]
    compared = compare_runs(run(one_token), run(FAST))
    assert compared.of(SPEED) == []
    assert len(compared.of(FIRST_TOKEN)) == 1


def test_load_levels_are_places_of_their_own() -> None:
    (one,) = run(FAST)
    levels = [replace(one, concurrency=8), replace(one, concurrency=64), replace(one, rate=2.5)]
    (faster,) = run(FASTER)
    compared = compare_runs(levels, [replace(faster, concurrency=64)])
    assert [level(line.a) for line in compared.lines] == ["64 streams", "64 streams"]
    assert [level(left.result) for left in compared.left] == ["8 streams", "2.5 requests/s"]
    assert "B is faster with fast: " in str(verdicts(compared)[0])
    both = compare_runs(levels, [replace(faster, concurrency=8), replace(faster, concurrency=64)])
    assert "fast at 8 streams and fast at 64 streams" in str(verdicts(both)[0])


def test_a_line_as_data_carries_full_values() -> None:
    line = compare_runs(run(FAST), run(FASTER)).lines[0]
    data = line.as_data()
    assert data["a"] == {
        "p50": line.a.output_tps.p50,
        "ci95": list(line.a.output_tps.ci95),
        "n": 8,
    }
    assert data["difference"] == line.versus.difference
    assert data["difference_ci95"] == list(line.versus.difference_ci)
    assert data["p_value"] == line.versus.p_value
    assert (data["metric"], data["better"], data["conclusive"]) == ("output_tps", "b", True)


def claims(seed: int) -> list[Line]:
    """Two runs of the same three models, which differ by chance alone."""
    rng = random.Random(seed)

    def once() -> list[Result]:
        return run(
            *(
                at_speed(
                    model,
                    [rng.gauss(100, 5) for _ in range(8)],
                    [rng.lognormvariate(5, 0.3) for _ in range(8)],
                )
                for model in ("a", "b", "c")
            )
        )

    return [line for line in compare_runs(once(), once()).lines if line.winner]


def test_equal_runs_seldom_seem_to_differ_anywhere_on_the_page() -> None:
    """At 5 % two of 40 pages are expected to claim something; more than six are not."""
    assert sum(bool(claims(seed)) for seed in range(40)) <= 6
