"""Workloads against the real demo provider: caches, sets, lengths, recall and budget."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import pytest

from engine.cancel import CancelToken
from engine.demo.process import DemoServer
from engine.events import Event, Finished, LevelDone, Notice, SampleDone, SampleFailed
from engine.report import Result, results
from engine.samples import Sample
from engine.specs import BenchmarkSpec
from engine.speed.budget import BUDGET_ENDED
from engine.speed.runner import run_benchmark
from engine.targets import Target

PROMPTS = [{"prompt": f"Explain number {n}.", "max_tokens": 3 + n} for n in range(4)]


def target(demo: DemoServer, model: str = "fast-small", **more: Any) -> Target:
    fields: dict[str, Any] = {"provider": "demo", "model": model, "label": model}
    fields |= {"litellm_model": f"openai/{model}", "api_base": demo.base_url, "api_key": "k"}
    fields |= {"allow_private": True, "simulated": True}
    return Target(**fields | {"input_cost_per_mtok": 1.0, "output_cost_per_mtok": 10.0} | more)


def run(*targets: Target, spent_usd: float = 0.0, **spec: Any) -> tuple[BenchmarkSpec, list[Event]]:
    fields = {"runs": 4, "warmup": 0, "max_tokens": 6, "timeout_s": 20, **spec}
    asked = BenchmarkSpec.model_validate({"targets": [t.ref for t in targets], **fields})
    events = run_benchmark(asked, targets, cancel=CancelToken(), spent_usd=spent_usd)
    return asked, list(events)


def samples(events: Iterable[Event]) -> list[Sample]:
    return [e.sample for e in events if isinstance(e, SampleDone | SampleFailed)]


def notices(events: Iterable[Event]) -> Iterator[Notice]:
    return (event for event in events if isinstance(event, Notice))


def only(spec: BenchmarkSpec, events: Iterable[Event], *targets: Target) -> Result:
    (found,) = results(samples(events), targets, spec)
    return found


LOAD = {"levels": [2], "requests": 4}


@pytest.mark.parametrize("load", [None, LOAD])
def test_no_prefix_cache_answers_a_default_run_however_often_it_is_made(
    demo: DemoServer, load: Any
) -> None:
    caching = target(demo, system_prompt="You keep the records of a harbour. " * 40)
    taken: list[Sample] = []
    for _ in range(2):
        _, events = run(caching, context_tiers=[1_500], load=load, runs=2)
        taken += samples(events)
    assert all(sample.ok for sample in taken)
    read = sum(sample.tokens.input or 0 for sample in taken)
    assert read > 4 * 1_500
    assert sum(sample.tokens.cached or 0 for sample in taken) <= 0.01 * read


@pytest.mark.parametrize("load", [None, LOAD])
def test_a_warm_run_is_answered_by_the_cache_after_one_request(demo: DemoServer, load: Any) -> None:
    caching = target(demo)
    spec, events = run(caching, context_tiers=[1_500], cache="warm", load=load, runs=2)
    (priming,) = [s for s in samples(events) if s.key.warmup]
    assert priming.tokens.cached == 0
    tokens = only(spec, events, caching).tokens
    assert tokens.input
    assert tokens.cached
    assert tokens.cached > 0.9 * tokens.input


def test_a_set_is_asked_in_turn_with_its_own_lengths(demo: DemoServer) -> None:
    _, events = run(target(demo, "plain"), prompts=PROMPTS, runs=8)
    taken = samples(events)
    indices = [sample.prompt_index for sample in taken]
    assert set(indices[:4]) == {0, 1, 2, 3}
    assert indices[4:] == indices[:4]
    assert [s.tokens.output for s in taken] == [3 + (i or 0) for i in indices]


def test_a_load_level_deals_the_set_out(demo: DemoServer) -> None:
    _, events = run(target(demo, "plain"), prompts=PROMPTS, load={"levels": [3], "requests": 12})
    taken = samples(events)
    indices = sorted(sample.prompt_index or 0 for sample in taken)
    assert indices == sorted([0, 1, 2, 3] * 3)
    assert all(s.tokens.output == 3 + (s.prompt_index or 0) for s in taken)


def test_drawn_lengths_are_what_the_provider_counts(demo: DemoServer) -> None:
    drawn = {"input_mean": 200, "input_std": 60, "output_mean": 10, "output_std": 5}
    _, events = run(target(demo, "plain"), synthetic=drawn, fixed_output=True, runs=6)
    taken = samples(events)
    assert len({sample.tokens.output for sample in taken}) > 2
    assert len({sample.tokens.input for sample in taken}) > 2
    assert [sample.prompt_index for sample in taken] == list(range(6))
    assert {sample.finish_reason for sample in taken} == {"length"}


def test_answers_of_a_fixed_length_are_all_as_long(demo: DemoServer) -> None:
    # "plain" would stop by itself after some tokens.
    short = target(demo, "plain")
    _, free = run(short, runs=1, max_tokens=80)
    _, fixed = run(short, runs=1, max_tokens=80, fixed_output=True)
    assert (samples(free)[0].tokens.output or 0) < 80
    assert samples(fixed)[0].tokens.output == 80


def test_what_cannot_be_had_is_said_before_it_is_missed(demo: DemoServer) -> None:
    unpriced = target(demo, input_cost_per_mtok=None, output_cost_per_mtok=None)
    public = target(demo, api_base=None, simulated=False, problem="No key.", provider="public")
    _, events = run(unpriced, public, runs=1, budget_usd=1, fixed_output=True)
    said = [(notice.code, notice.target) for notice in notices(events)]
    assert said == [
        ("budget_unpriced", unpriced.ref),
        ("no_fixed_output", public.ref),
    ]


@pytest.mark.parametrize("load", [None, {"levels": [4], "requests": 4}])
def test_recall_is_seen_as_the_demo_knows_it(demo: DemoServer, load: Any) -> None:
    """fast-small overlooks what lies more than 6,000 of its tokens before the end, jittery
    nothing at these sizes."""
    near, far = target(demo), target(demo, "jittery")
    asked: dict[str, Any] = {"recall": True, "context_tiers": [9_000], "max_tokens": 16}
    before = len(demo.truth())
    # With seed 3 the first fact lies in the middle, the second near the start.
    spec, events = run(near, far, load=load, runs=2, seed=3, **asked)
    found = results(samples(events), (near, far), spec)
    rows = {(row.model, row.context_tokens): row.recall for row in found}
    assert rows["jittery", 9_000].share == 1
    low, high = rows["jittery", 9_000].ci95
    assert low is not None
    assert 0.3 < low < 1 == high
    seen = [sample.recall for sample in samples(events) if sample.recall is not None]
    truth = [record.recalled for record in demo.truth()[before:] if record.recalled is not None]
    assert seen.count(False) == truth.count(False) > 0
    assert seen.count(True) == truth.count(True)


def cost(taken: Iterable[Sample]) -> float:
    return sum(sample.cost_usd or 0.0 for sample in taken)


def test_a_run_stops_when_its_budget_is_spent(demo: DemoServer) -> None:
    priced = target(demo)
    _, whole = run(priced, runs=2)
    each = max(sample.cost_usd or 0.0 for sample in samples(whole))
    _, events = run(priced, runs=10, budget_usd=3.5 * each)
    taken = samples(events)
    assert 3.5 * each <= cost(taken) < 4.7 * each
    assert events[-1] == Finished("budget")
    (notice,) = notices(events)
    assert notice.code == "budget_reached"
    assert notice.dropped == 10 - len(taken)
    assert notice.text.count("$") == 2
    assert f"{notice.dropped} requests were not sent" in notice.text


def test_providers_share_the_budget_and_warm_ups_count(demo: DemoServer) -> None:
    one, two = target(demo), target(demo, provider="other")
    _, whole = run(one, runs=2)
    each = max(sample.cost_usd or 0.0 for sample in samples(whole))
    _, events = run(one, two, runs=10, warmup=1, budget_usd=5 * each)
    taken = samples(events)
    # At most one request of each provider was open when the budget was spent.
    assert cost(taken) <= (5 + 2) * each * 1.15
    assert events[-1] == Finished("budget")
    assert sum(notice.dropped for notice in notices(events)) == 22 - len(taken)


def test_a_resumed_run_goes_on_with_what_is_left(demo: DemoServer) -> None:
    _, events = run(target(demo), runs=3, budget_usd=0.5, spent_usd=0.5)
    assert samples(events) == []
    assert events[-1] == Finished("budget")


def test_a_budget_that_is_just_enough_ends_as_complete(demo: DemoServer) -> None:
    _, events = run(target(demo), runs=1, budget_usd=1e-6)
    assert len(samples(events)) == 1
    assert events[-1] == Finished("complete")


def test_a_load_stops_at_its_budget_and_pays_only_for_what_is_open(demo: DemoServer) -> None:
    priced = target(demo)
    _, whole = run(priced, runs=2, max_tokens=20)
    each = max(sample.cost_usd or 0.0 for sample in samples(whole))
    load = {"levels": [4, 8], "requests": 200}
    _, events = run(priced, max_tokens=20, budget_usd=12 * each, load=load)
    taken = samples(events)
    assert 12 * each <= cost(taken) * 1.05
    assert cost(taken) <= (12 + 4 + 4) * each
    cut = [s for s in taken if s.outcome == "incomplete"]
    assert 1 <= len(cut) <= 4
    assert {(s.message, s.cost_usd) for s in cut} == {(BUDGET_ENDED, None)}
    (notice,) = notices(events)
    assert "ended and may be billed in addition" in notice.text
    assert [type(e) for e in events[-2:]] == [Notice, Finished]
    assert events[-1] == Finished("budget")
    assert [e.where.level for e in events if isinstance(e, LevelDone)] == ["c4"]
    dropped = sum(notice.dropped for notice in notices(events))
    assert dropped == 400 - len(taken)


def test_a_rate_whose_budget_is_spent_leaves_requests_unsent_and_says_so(demo: DemoServer) -> None:
    load = {"arrivals": "constant", "levels": [100], "requests": 500}
    asked, events = run(target(demo), budget_usd=1e-9, load=load)
    (done,) = [event for event in events if isinstance(event, LevelDone)]
    taken = samples(events)
    assert "unsent" in done.client.marks
    assert (done.client.planned, done.client.unsent) == (500, 500 - len(taken))
    assert sum(notice.dropped for notice in notices(events)) == 500 - len(taken)
    assert only(asked, events, target(demo)).requests.total == len(taken) < 500
