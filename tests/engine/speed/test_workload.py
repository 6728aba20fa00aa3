"""What samples ask: never the same beginning, the same work for every target."""

from __future__ import annotations

import itertools
from collections import Counter
from statistics import mean, stdev
from typing import Any

import pytest

from engine.llm.prepare import prepare
from engine.llm.tokens import count_tokens
from engine.samples import LevelKey, SampleKey
from engine.specs import BenchmarkSpec
from engine.speed.load.work import NONCE, nonce_of
from engine.speed.workload import DRAWN, Workload
from engine.targets import Target

ASK = "Which place stores the most lamps?"
FAST = Target("p", "fast", "openai/fast", api_base="http://127.0.0.1:9/v1", api_key="k")
SLOW = Target("p", "slow", "openai/slow", api_base="http://127.0.0.1:9/v1", api_key="k")
SYSTEM = "You keep the records of a harbour, an orchard and a bakery, and answer in one line."
PROMPTS = [{"prompt": f"Question {n}?", "max_tokens": n + 1 if n % 2 else None} for n in range(7)]


def workload(**fields: Any) -> Workload:
    asked = {"targets": [FAST.ref, SLOW.ref], "prompt": ASK, **fields}
    return Workload(BenchmarkSpec.model_validate(asked))


def key(run: int, tier: int = 0, model: str = "fast", warmup: bool = False) -> SampleKey:
    return SampleKey("p", model, tier, run, warmup)


def shared_tokens(texts: list[str]) -> int:
    """The longest prefix that any two share, in tokens: neighbours in order share the most."""
    longest = 0
    for one, other in itertools.pairwise(sorted(texts)):
        pairs = zip(one, other, strict=False)
        common = "".join(a for a, _ in itertools.takewhile(lambda pair: pair[0] == pair[1], pairs))
        longest = max(longest, *(count_tokens(common, e) for e in ("cl100k_base", "o200k_base")))
    return longest


@pytest.mark.parametrize("tier", [0, 1_000])
@pytest.mark.parametrize("system", ["", SYSTEM])
def test_no_two_samples_share_a_prefix_that_a_cache_could_answer(tier: int, system: str) -> None:
    target = Target("p", "fast", "openai/fast", system_prompt=system)
    keys = [key(run, tier, warmup=warm) for run in range(12) for warm in (False, True)]
    # A second run of the same spec asks as if for the first time, too.
    texts = [work.question(k, target).text for work in (workload(), workload()) for k in keys]
    assert len(set(texts)) == 48
    assert shared_tokens(texts) <= 16
    assert system in texts[0]


@pytest.mark.parametrize("system", ["", SYSTEM])
def test_the_bodies_of_a_load_share_no_prefix_either(system: str) -> None:
    target = Target("p", "fast", "openai/fast", "http://127.0.0.1:9/v1", "k", system_prompt=system)
    work = workload(context_tiers=(500,))
    questions = work.load_questions(target, 500, NONCE)
    asked = Target("p", "fast", "openai/fast", "http://127.0.0.1:9/v1", "k")
    bodies = [prepare(asked, question.request).body for question in questions]
    levels = [work.nonces(LevelKey("p", "fast", 500, label)) for label in ("c1", "c2")]
    sent = [
        bodies[number % len(bodies)].replace(NONCE.encode(), nonce_of(seed, number)).decode()
        for seed in levels
        for number in range(40)
    ]
    # What the model reads begins behind the first "content".
    read = [body.partition('"content":"')[2] for body in sent]
    assert shared_tokens(read) <= 16


def test_a_nonce_takes_as_many_tokens_as_what_stands_in_its_place() -> None:
    nonces = [nonce_of(5, number).decode() for number in range(200)]
    assert mean(map(count_tokens, nonces)) == pytest.approx(count_tokens(NONCE), abs=1.5)


def test_everything_but_the_nonce_follows_from_the_spec() -> None:
    one, other = (workload(context_tiers=(1000,)).question(key(3, 1000), FAST) for _ in "ab")
    assert one.text != other.text
    reseeded = workload(context_tiers=(1000,), seed=2).question(key(3, 1000), FAST)
    fillers = [question.text.partition("]")[2][:2_000] for question in (one, other, reseeded)]
    assert fillers[0] == fillers[1] != fillers[2]


def test_a_warm_run_asks_with_one_prefix() -> None:
    work = workload(cache="warm", context_tiers=(0, 1000), recall=True)
    runs = [*(key(run, 1000) for run in range(4)), key(0, 1000, warmup=True)]
    assert len({work.question(k, FAST).text for k in runs}) == 1
    (loaded,) = work.load_questions(FAST, 1000, NONCE)
    assert loaded.text == work.question(key(0, 1000), FAST).text
    assert NONCE not in loaded.text


def test_a_set_goes_round_in_one_order_for_every_target() -> None:
    work = workload(prompts=PROMPTS, max_tokens=99)
    fast = [work.question(key(run), FAST) for run in range(14)]
    slow = [work.question(key(run, model="slow"), SLOW) for run in range(14)]
    order = [question.index for question in fast]
    assert order == [question.index for question in slow]
    assert set(order[:7]) == set(range(7))
    assert order[:7] == order[7:] != list(range(7))
    for question in fast:
        assert f"Question {question.index}?" in question.text
        assert question.request.max_tokens == (PROMPTS[question.index or 0]["max_tokens"] or 99)
    bodies = work.load_questions(FAST, 0, NONCE)
    assert [question.index for question in bodies] == order[:7]


def test_another_seed_gives_another_order() -> None:
    orders = {
        tuple(work.question(key(run), FAST).index for run in range(7))
        for work in (workload(prompts=PROMPTS, seed=seed) for seed in range(4))
    }
    assert len(orders) > 1


def test_lengths_are_drawn_from_their_distributions_alike_for_every_target() -> None:
    drawn = {"input_mean": 60, "input_std": 8, "output_mean": 300, "output_std": 60}
    work = workload(synthetic=drawn)
    questions = work.load_questions(FAST, 0, NONCE)
    asked = [count_tokens(question.text) for question in questions]
    answered = [question.request.max_tokens or 0 for question in questions]
    assert len(questions) == DRAWN
    assert mean(asked) == pytest.approx(60, abs=3)
    assert stdev(asked) == pytest.approx(8, abs=2)
    assert mean(answered) == pytest.approx(300, abs=20)
    assert stdev(answered) == pytest.approx(60, abs=12)
    same = work.question(key(5, model="slow"), SLOW)
    assert (same.index, same.request.max_tokens) == (5, answered[5])
    wild = workload(synthetic=drawn | {"output_std": 9_000})
    limits = Counter(q.request.max_tokens for q in wild.load_questions(FAST, 0, NONCE))
    assert limits[1] > 10


def test_fewer_long_inputs_are_drawn_because_they_wait_in_memory(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("engine.speed.workload.LOAD_BODIES_MAX_TOKENS", 1_000)
    for mean_tokens, bodies in ((50, 20), (400, 8), (5, DRAWN)):
        work = workload(synthetic={"input_mean": mean_tokens, "output_mean": 5})
        assert len(work.load_questions(FAST, 0, NONCE)) == bodies


def test_a_fixed_length_is_asked_of_servers_that_can() -> None:
    work = workload(fixed_output=True, prompts=PROMPTS, max_tokens=99)
    question = work.question(key(0), FAST)
    length = question.request.max_tokens
    assert question.request.extra == {"extra_body": {"ignore_eos": True, "min_tokens": length}}
    public = Target("openai", "gpt-4.1", "openai/gpt-4.1")
    assert work.question(key(0), public).request.extra == {}


def test_a_fact_is_hidden_only_where_there_is_filler() -> None:
    work = workload(recall=True, context_tiers=(0, 1000))
    assert work.question(key(0), FAST).fact is None
    facts = [work.question(key(run, 1000), FAST).fact for run in range(5)]
    assert len(set(facts)) == 5
    assert facts == [work.question(key(run, 1000, "slow"), SLOW).fact for run in range(5)]
