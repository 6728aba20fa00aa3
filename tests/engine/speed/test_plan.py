"""The order of a run, and what is left out of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from engine.samples import SampleKey
from engine.specs import BenchmarkSpec, LoadSpec
from engine.speed.plan import make_plan, still_to_take
from engine.targets import Target


def target(provider: str, model: str, window: int | None = None) -> Target:
    return Target(provider, model, f"openai/{model}", context_window=window)


def spec(*targets: Target, **more: Any) -> BenchmarkSpec:
    return BenchmarkSpec(targets=tuple(t.ref for t in targets), **more)


def test_models_of_a_provider_take_turns_a_b_b_a() -> None:
    a, b = target("p", "a"), target("p", "b")
    plan = make_plan(spec(a, b, runs=4, warmup=0), [a, b])
    assert "".join(key.model for key in plan.lanes["p"]) == "abbaabba"


def test_every_model_warms_up_once_before_it_is_measured() -> None:
    a, b = target("p", "a"), target("p", "b")
    lane = make_plan(spec(a, b, runs=2, warmup=1, context_tiers=(0, 1000)), [a, b]).lanes["p"]
    warm = [(key.model, key.context_tokens) for key in lane if key.warmup]
    assert warm == [("a", 0), ("b", 0)]
    assert lane[:2] == tuple(key for key in lane if key.warmup)


def test_providers_have_lanes_of_their_own() -> None:
    a, b = target("p", "a"), target("q", "a")
    plan = make_plan(spec(a, b, runs=3, warmup=1), [a, b])
    assert {name: len(keys) for name, keys in plan.lanes.items()} == {"p": 4, "q": 4}
    assert plan.total == 8


def test_tiers_go_up_one_by_one() -> None:
    a = target("p", "a")
    lane = make_plan(spec(a, runs=2, warmup=0, context_tiers=(5000, 0, 1000)), [a]).lanes["p"]
    assert [key.context_tokens for key in lane] == [0, 0, 1000, 1000, 5000, 5000]


def test_a_tier_beyond_the_window_is_skipped_and_named_with_its_three_numbers() -> None:
    small, large = target("p", "small", 8_000), target("p", "large", 100_000)
    asked = spec(small, large, runs=1, warmup=0, max_tokens=512, context_tiers=(0, 10_000))
    plan = make_plan(asked, [small, large])
    assert [(k.model, k.context_tokens) for k in plan.lanes["p"]] == [
        ("small", 0),
        ("large", 0),
        ("large", 10_000),
    ]
    (notice,) = plan.notices
    assert notice.target == small.ref
    for number in ("10,000", "8,000", "512", "100"):
        assert number in notice.text


def test_a_tier_that_fits_to_the_token_is_kept() -> None:
    fits = target("p", "a", 1000 + 512 + 100)
    kept = make_plan(spec(fits, context_tiers=(1000,), max_tokens=512), [fits])
    assert not kept.notices


def test_a_warm_cache_is_primed_at_every_size_also_without_warm_ups() -> None:
    a = target("p", "a")
    for warmup, primed in ((0, 1), (2, 2)):
        asked = spec(a, runs=2, warmup=warmup, context_tiers=(0, 1000), cache="warm")
        lane = make_plan(asked, [a]).lanes["p"]
        warm = [key.context_tokens for key in lane if key.warmup]
        assert warm == [0] * primed + [1000] * primed
        loaded = asked.model_copy(update={"load": LoadSpec(levels=(4,), requests=3)})
        lane = make_plan(loaded, [a]).lanes["p"]
        assert [key.context_tokens for key in lane if key.warmup] == warm


def test_the_longest_answer_of_a_set_must_fit_the_window() -> None:
    a = target("p", "a", 3_000)
    prompts = ({"prompt": "a"}, {"prompt": "b", "max_tokens": 1_500})
    fits = BenchmarkSpec.model_validate(
        {"targets": [a.ref], "prompts": prompts, "context_tiers": [1400, 1401]}
    )
    (notice,) = make_plan(fits, [a]).notices
    assert "1,401" in notice.text
    assert "1,500 for the answer" in notice.text


def test_what_a_target_cannot_keep_is_said_before_the_start() -> None:
    public = Target("openai", "gpt-4.1", "openai/gpt-4.1")
    own = Target("lab", "m", "openai/m", "http://10.0.0.5:9/v1")
    vllm = Target("lab", "v", "hosted_vllm/v", input_cost_per_mtok=1, output_cost_per_mtok=2)
    asked = spec(public, own, vllm, fixed_output=True, budget_usd=1)
    notices = make_plan(asked, [public, own, vllm]).notices
    assert [(notice.code, notice.target) for notice in notices] == [
        ("no_fixed_output", public.ref),
        ("budget_unpriced", own.ref),
    ]


def short(keys: Sequence[SampleKey]) -> list[str]:
    return [f"{key.model}{'w' if key.warmup else ''}{key.run}" for key in keys]


def test_a_resumed_run_takes_what_is_missing_and_primes_a_warm_cache_anew() -> None:
    a, b = target("p", "a"), target("p", "b")
    cold, warm = (spec(a, b, runs=2, warmup=1, cache=cache) for cache in ("cold", "warm"))
    lane = make_plan(warm, [a, b]).lanes["p"]
    assert short(lane) == ["aw0", "bw0", "a0", "b0", "b1", "a1"]
    assert still_to_take(warm, lane, frozenset()) == list(lane)
    stored = frozenset(lane[:3])
    assert short(still_to_take(cold, lane, stored)) == ["b0", "b1", "a1"]
    left = still_to_take(warm, lane, stored)
    assert short(left) == ["bw1", "b0", "b1", "aw1", "a1"]
    again = still_to_take(warm, lane, stored | set(left[:2]))
    assert short(again) == ["bw2", "b1", "aw1", "a1"]
