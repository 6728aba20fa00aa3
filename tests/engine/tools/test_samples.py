"""The sample suite shows every kind of case, and the demo models' score on it is their skill."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from random import Random
from typing import Any, get_args

import pytest

from engine.demo.catalog import Model, catalog
from engine.demo.formats.openai_request import read_request
from engine.demo.skill import attempt
from engine.specs import TargetRef, ToolEvalSpec
from engine.stats import wilson
from engine.targets import Target
from engine.tools.answers import Answer, Call, Scored
from engine.tools.asking import Voice
from engine.tools.chain_scoring import TrialScorer
from engine.tools.chains import Conversation
from engine.tools.checks import suite_problems
from engine.tools.io.studio import dumps
from engine.tools.samples import sample_suite
from engine.tools.suites import Argument, Case, ExpectCalls, Matcher, Suite

SUITE = sample_suite()
SPEC = ToolEvalSpec(targets=(TargetRef(provider="demo", model="any"),))
FAST = catalog().models["fast-small"]


def expected_arguments() -> Iterator[Argument]:
    for case in SUITE.cases:
        turns = case.chain.turns if case.chain else ()
        for expect in (case.expect, *(turn.expect for turn in turns)):
            if isinstance(expect, ExpectCalls):
                for calls in expect.alternatives:
                    for call in calls:
                        yield from call.arguments.values()


def test_it_has_the_size_it_is_meant_to_have_and_no_fault() -> None:
    assert len(SUITE.tools) >= 10
    assert len(SUITE.cases) >= 50
    assert suite_problems(SUITE, similarity=False) == {}
    assert Suite.model_validate_json(dumps(SUITE)) == SUITE


def test_every_kind_of_case_and_every_matcher_is_there() -> None:
    expects = [case.expect for case in SUITE.cases]
    assert {expect.kind for expect in expects} == {"calls", "none", "any", "state"}
    calls = [expect for expect in expects if isinstance(expect, ExpectCalls)]
    assert any(len(expect.alternatives) > 1 for expect in calls)
    assert any(expect.order == "strict" for expect in calls)
    arguments = list(expected_arguments())
    assert any(argument.optional for argument in arguments)
    assert any(argument.ignore for argument in arguments)
    assert any(not argument.default_ok for argument in arguments)
    shown = {argument.match.kind for argument in arguments if argument.match}
    every = {kind.model_fields["kind"].default for kind in get_args(get_args(Matcher)[0])}
    assert every - shown == {"semantic"}


def test_chains_have_states_errors_sources_and_turns() -> None:
    chains = [case.chain for case in SUITE.cases if case.chain]
    responses = [r for chain in chains for mock in chain.mocks for r in mock.responses]
    assert any(response.error for response in responses)
    assert any(response.set_state and response.when_state for response in responses)
    assert any(response.on_call for response in responses)
    assert any(chain.sources for chain in chains)
    assert any(len(chain.turns) > 1 for chain in chains)
    assert any(chain.optimal_hops for chain in chains)


def play(case: Case, model: Model, seed: int, scorer: TrialScorer) -> tuple[Scored, int]:
    """One trial in this process, and how many answers held calls."""
    talk = Conversation(case, Voice.of(SPEC, SUITE, Target("demo", "any", "openai/any")))
    tools = [tool.as_openai() for tool in SUITE.tools_of(case)]
    calling = 0
    while not talk.done:
        body: dict[str, Any] = {"model": "any", "messages": talk.messages, "tools": tools}
        made = attempt(model, read_request(body), Random(f"{seed}/{case.id}/{calling}"))
        calls = tuple(Call(name, arguments) for name, arguments in made.calls)
        calling += bool(calls)
        talk.take(Answer(calls, text="" if calls else "That is all."))
    return scorer.score(case, talk.told), calling


@pytest.fixture(scope="module")
def scorer() -> TrialScorer:
    return TrialScorer(SPEC, SUITE)


@pytest.fixture(scope="module")
def rounds(scorer: TrialScorer) -> dict[str, int]:
    """How many answers with calls each case takes, as a faultless model does it."""
    faultless = replace(FAST, skill=1.0)
    played = {case.id: play(case, faultless, 1, scorer) for case in SUITE.cases}
    failed = {name: scored.reason for name, (scored, _) in played.items() if not scored.passed}
    assert failed == {}
    return {name: calling for name, (_, calling) in played.items()}


def test_a_faultless_demo_model_passes_every_case(rounds: dict[str, int]) -> None:
    assert (rounds["chain-invoice"], rounds["chain-try-again"]) == (3, 2)
    assert (rounds["none-small-talk"], rounds["parallel-three"]) == (0, 1)


@pytest.mark.parametrize("name", ["fast-small", "slow-large", "flaky"])
def test_the_score_of_a_demo_model_is_its_known_skill(
    name: str, scorer: TrialScorer, rounds: dict[str, int]
) -> None:
    model, trials = catalog().models[name], 4
    passed = sum(
        play(case, model, seed, scorer)[0].passed for case in SUITE.cases for seed in range(trials)
    )
    true = sum(model.skill**made for made in rounds.values()) / len(rounds)
    low, high = wilson(passed, len(SUITE.cases) * trials)
    assert low is not None
    assert high is not None
    assert low <= true <= high
