"""The consequence shown before a start agrees with the plan and never promises too little."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.specs import LoadSpec, PromptItem, SyntheticSpec
from engine.speed.plan import make_plan
from tests.webapp.benchmark.builders import TARGETS, samples_of, spec_of
from webapp.benchmark.estimate import UNKNOWN_PACE, Pace, estimate, requests_of
from webapp.benchmark.words import consequence

FAST, SLOW, JITTERY = TARGETS
UNPRICED = replace(FAST, provider="own", model="mine", label="Mine", litellm_model="openai/mine",
                   api_base="http://127.0.0.1:9/v1", input_cost_per_mtok=None,
                   output_cost_per_mtok=None)  # fmt: skip


@given(
    runs=st.integers(1, 12),
    warmup=st.integers(0, 5),
    tiers=st.sets(st.sampled_from([0, 1000, 50_000, 150_000, 500_000]), min_size=1).map(tuple),
    targets=st.lists(st.sampled_from(TARGETS), min_size=1, unique=True).map(tuple),
)
def test_requests_are_those_of_the_plan(
    runs: int, warmup: int, tiers: tuple[int, ...], targets: tuple[object, ...]
) -> None:
    chosen = [target for target in TARGETS if target in targets]
    spec = spec_of(chosen, runs=runs, warmup=warmup, context_tiers=tiers)
    plan = make_plan(spec, chosen)
    found = estimate(spec, chosen, {})
    assert found.requests == plan.total == sum(requests_of(spec, chosen).values())
    assert found.warmups == sum(key.warmup for lane in plan.lanes.values() for key in lane)
    assert found.notices == tuple(notice.text for notice in plan.notices)


@given(
    arrivals=st.sampled_from(["closed", "constant", "poisson"]),
    levels=st.sets(st.integers(1, 64), min_size=1, max_size=4).map(tuple),
    requests=st.none() | st.integers(1, 50),
    tiers=st.sets(st.sampled_from([0, 1000, 50_000]), min_size=1).map(tuple),
)
def test_requests_of_load_levels_are_those_of_the_plan(
    arrivals: Any, levels: tuple[int, ...], requests: int | None, tiers: tuple[int, ...]
) -> None:
    load = LoadSpec(arrivals=arrivals, levels=levels, requests=requests)
    spec = spec_of(TARGETS, warmup=2, context_tiers=tiers, load=load)
    found = estimate(spec, TARGETS, {})
    assert found.requests == make_plan(spec, TARGETS).total
    assert found.warmups == 2 * (3 * len(tiers) - (50_000 in tiers))


def test_the_time_of_load_levels_follows_from_streams_and_rates() -> None:
    paces = {FAST.ref: Pace(1, 100)}  # 2 s for 100 tokens

    def seconds(**fields: Any) -> tuple[int, float]:
        spec = spec_of([FAST], warmup=0, max_tokens=100, load=LoadSpec(**fields))
        found = estimate(spec, [FAST], paces)
        return found.requests, found.seconds

    assert seconds(levels=(1, 10), requests=20) == (40, 20 * 2 + 2 * 2)
    assert seconds(levels=(10,), duration_s=30, ramp_s=5) == (150, 5 + 15 * 2)
    assert seconds(arrivals="constant", levels=(4,), duration_s=10) == (40, 10 + 2)
    assert seconds(arrivals="poisson", levels=(4,), requests=8, duration_s=10) == (8, 2 + 2)


def test_the_largest_benchmark_is_estimated_without_laying_it_out() -> None:
    many = [replace(FAST, model=f"m{i}") for i in range(64)]
    spec = spec_of(many, runs=1000, context_tiers=tuple(range(0, 16_000, 1000)))
    assert len(requests_of(spec, many)) == 64 * 17
    assert estimate(spec, many, {}).requests == 64 * (16 * 1000 + 1)


def test_the_cost_bound_holds_for_what_was_measured() -> None:
    spec = spec_of(TARGETS, max_tokens=160, context_tiers=(0, 1000, 20_000))
    spent = sum(sample.cost_usd or 0 for sample in samples_of(spec, TARGETS))
    bound = estimate(spec, TARGETS, {}).usd
    assert bound is not None
    assert spent <= bound < 1.5 * spent


def test_the_cost_bound_counts_every_prompt_of_a_set_and_every_drawn_length() -> None:
    prompts = tuple(PromptItem(prompt="x" * 300 * n, max_tokens=100) for n in (1, 2, 3))
    bound = estimate(spec_of([FAST], warmup=0, runs=4, prompts=prompts), [FAST], {}).usd or 0.0
    dearest = (100 + 200 + 300 + 300 + 4 * 40) * 0.15 + 4 * 100 * 0.6  # the longest comes twice
    assert dearest <= bound * 1e6 < 1.3 * dearest
    drawn = SyntheticSpec(input_mean=1000, input_std=100, output_mean=50, output_std=10)
    found = estimate(spec_of([FAST], warmup=0, runs=900, synthetic=drawn), [FAST], {})
    assert found.usd == pytest.approx(900 * ((1010 + 40) * 0.15 + 51 * 0.6) / 1e6)


def test_a_budget_is_said_where_it_may_end_the_run() -> None:
    cheap = estimate(spec_of([FAST], budget_usd=100), [FAST], {})
    dear = estimate(spec_of([FAST], budget_usd=0.0001), [FAST], {})
    assert "stops" not in consequence(cheap)
    assert consequence(dear).endswith(", stops when $0.00010 is spent")


def test_an_unknown_price_stays_unknown() -> None:
    spec = spec_of([UNPRICED])
    assert estimate(spec, [UNPRICED], {}).usd is None
    both = estimate(spec_of([FAST, UNPRICED]), [FAST, UNPRICED], {})
    assert both.usd == pytest.approx(estimate(spec_of([FAST]), [FAST], {}).usd)
    assert both.unpriced == ("Mine",)


def test_an_answer_is_not_expected_longer_than_the_model_can_write() -> None:
    short = replace(FAST, max_output_tokens=100)
    long, cut = (estimate(spec_of([t], max_tokens=10_000), [t], {}) for t in (FAST, short))
    assert cut.usd is not None
    assert long.usd is not None
    assert cut.usd < long.usd / 50
    assert cut.seconds < long.seconds


def test_providers_run_in_parallel_and_the_slowest_decides() -> None:
    other = replace(SLOW, provider="other")
    spec = spec_of([FAST, other], warmup=0, runs=2, max_tokens=100)
    paces = {FAST.ref: Pace(1, 100), other.ref: Pace(2, 10)}
    assert estimate(spec, [FAST, other], paces).seconds == pytest.approx(2 * (2 + 10))
    same = spec_of([FAST, SLOW], warmup=0, runs=2, max_tokens=100)
    paces = {FAST.ref: Pace(1, 100), SLOW.ref: Pace(2, 10)}
    assert estimate(same, [FAST, SLOW], paces).seconds == pytest.approx(2 * (2 + 12))


def test_context_takes_time_to_read() -> None:
    spec = spec_of([FAST], warmup=0, runs=1, max_tokens=60, context_tiers=(30_000,))
    reading = 30_000 / UNKNOWN_PACE.input_tps
    assert estimate(spec, [FAST], {}).seconds == pytest.approx(1 + reading + 1)
