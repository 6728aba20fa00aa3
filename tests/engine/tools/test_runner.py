"""Whole evaluations over real sockets: what was answered, scored, lost and tried again."""

from __future__ import annotations

import itertools
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

import pytest

from engine.cancel import CancelToken
from engine.demo.process import DemoServer
from engine.events import CaseScored, Event, Finished, Notice, Started, TrialStarted
from engine.specs import ToolEvalSpec
from engine.stats import wilson
from engine.targets import Target
from engine.tools.runner import run_tool_eval
from engine.tools.samples import sample_suite
from engine.tools.suites import Suite
from engine.tools.trials import Trial, TrialKey
from tests.engine.tools import builders
from tests.engine.tools.builders import calls, case, spec, suite
from tests.engine.tools.faulty import CALL, SILENCE, WORDS, Fate, Faulty, faulty_server, serving
from tests.helpers import eventually


def asked(server: Faulty, model: str = "m", **more: Any) -> Target:
    values = {"api_key": "sk-very-secret-key", "allow_private": True, **more}
    return builders.target(model, api_base=server.base_url, **values)


def weather(count: int) -> Suite:
    """Cases that each expect the weather of a place of their own."""
    return suite(
        *(
            case(
                f"w{n}", calls(("get_weather", {"city": f"place{n}"})), prompt=f"Rain in place{n}?"
            )
            for n in range(count)
        )
    )


def run(
    of: Suite, *targets: Target, cancel: CancelToken | None = None, **more: Any
) -> Iterator[Event]:
    stored = more.pop("stored", frozenset())
    asking: ToolEvalSpec = spec(*targets, **{"timeout_s": 20, **more})
    return run_tool_eval(asking, of, targets, cancel=cancel or CancelToken(), stored=stored)


def trials(events: Iterator[Event] | Sequence[Event]) -> list[Trial]:
    return [event.trial for event in events if isinstance(event, CaseScored)]


def notices(events: Sequence[Event]) -> dict[str, str]:
    return {event.code: event.text for event in events if isinstance(event, Notice)}


def test_a_trial_has_its_score_its_figures_and_the_whole_conversation() -> None:
    with faulty_server(lambda *_: CALL) as server:
        priced = asked(server, input_cost_per_mtok=1.0, output_cost_per_mtok=2.0)
        events = list(run(weather(1), priced, params={"seed": 3}))

    assert isinstance(events[0], Started)
    assert events[0].total == 1
    assert isinstance(events[1], TrialStarted)
    assert events[-1] == Finished("complete")
    [trial] = trials(events)
    assert trial.key == events[1].key == TrialKey("lab", "m", "w0", 0)
    assert (trial.outcome, trial.passed, trial.rounds) == ("scored", True, 1)
    assert (trial.tokens.input, trial.tokens.output, trial.tokens.source) == (20, 5, "usage")
    assert trial.cost_usd == pytest.approx(30e-6)
    assert trial.ttft_ms is not None
    assert trial.e2e_ms is not None
    assert trial.started_at == pytest.approx(time.time(), abs=30)
    told = trial.transcript
    assert [message["role"] for message in told["messages"]] == ["user", "assistant"]
    assert told["request"] == {
        "model": "openai/m",
        "max_tokens": 1_024,
        "temperature": 0.0,
        "seed": 3,
    }
    assert told["tools"] == ["get_weather", "book_hotel"]
    assert told["rounds"][0]["calls"][0]["raw"] == '{"city": "place0"}'
    assert "secret" not in repr(trial)


def test_a_thousand_cases_with_a_fifth_of_errors_are_scored_or_listed_and_none_twice() -> None:
    """429, 500 and timeouts: each case ends once, and only rate limits are asked again."""

    def fate(prompt: str, times: int) -> Fate:
        number = int(prompt.strip("?").removeprefix("Rain in place"))
        if number % 50 == 0:
            return SILENCE
        if number % 25 == 5:
            return 500
        if number % 25 == 7:
            return 429
        if number % 25 == 9:
            return 429 if times == 0 else CALL
        return CALL if number % 3 else WORDS

    with faulty_server(fate) as server:
        done = trials(run(weather(1_000), asked(server), timeout_s=1, concurrency=32, retries=1))

    assert len(done) == 1_000
    assert len({trial.key for trial in done}) == 1_000
    outcomes = Counter((trial.outcome, trial.error) for trial in done)
    assert outcomes == {
        ("scored", None): 900,
        ("infrastructure", "timeout"): 20,
        ("infrastructure", "server"): 40,
        ("infrastructure", "rate_limited"): 40,
    }
    assert {trial.passed for trial in done if trial.outcome == "infrastructure"} == {None}
    assert sum(server.asked.values()) == 1_000 + 40 + 40
    right = [trial for trial in done if trial.passed]
    assert len(right) == sum(
        1 for n in range(1_000) if n % 25 not in (5, 7) and n % 50 and (n % 3 or n % 25 == 9)
    )
    waited = [trial for trial in right if trial.tries]
    assert len(waited) == 40


def test_what_is_stored_is_not_asked_again() -> None:
    with faulty_server(lambda *_: CALL) as server:
        first = trials(run(weather(20), asked(server)))
        stored = frozenset(trial.key for trial in first[:15])
        events = list(run(weather(20), asked(server), stored=stored))

    assert isinstance(events[0], Started)
    assert events[0].total == 20
    assert {trial.key for trial in trials(events)} == {trial.key for trial in first[15:]}
    assert sum(server.asked.values()) == 25


def test_a_provider_has_as_many_requests_open_as_the_spec_allows() -> None:
    with faulty_server(lambda *_: CALL, delay_s=0.03) as server:
        pair = [asked(server, "one"), asked(server, "two")]
        done = trials(run(weather(20), *pair, concurrency=5))

    assert len(done) == 40
    assert server.most == 5


def test_providers_are_asked_in_parallel() -> None:
    with faulty_server(lambda *_: CALL, delay_s=0.05) as server:
        pair = [asked(server), asked(server, provider="other")]
        trials(run(weather(6), *pair, concurrency=1))
    assert server.most == 2


def test_a_cancel_ends_open_requests_at_once_and_says_so() -> None:
    cancel = CancelToken()
    with faulty_server(lambda prompt, _: CALL if "place1?" in prompt else SILENCE) as server:
        events: list[Event] = []
        for event in run(weather(8), asked(server), cancel=cancel, concurrency=8, timeout_s=60):
            events.append(event)
            if sum(isinstance(e, TrialStarted) for e in events) == 8 and not cancel.reason:
                eventually(lambda: len(server.bodies) == 8)
                stopped = time.monotonic()
                cancel.cancel()
    assert time.monotonic() - stopped < 2
    assert events[-1] == Finished("cancelled")
    assert {trial.outcome for trial in trials(events)} <= {"incomplete", "scored"}
    assert any(trial.outcome == "incomplete" for trial in trials(events))


def test_closing_the_events_cancels() -> None:
    cancel = CancelToken()
    with faulty_server(lambda *_: SILENCE) as server:
        events = run(weather(3), asked(server), cancel=cancel, timeout_s=60)
        next(events)
        next(events)
        events.close()  # type: ignore[attr-defined]
    assert cancel.reason == "cancelled"


def test_a_target_that_cannot_be_asked_is_left_out_and_the_others_go_on() -> None:
    with faulty_server(lambda *_: CALL) as server:
        broken = asked(
            server, "broken", problem="Set LAB_KEY to use this provider.", label="Broken"
        )
        events = list(run(weather(30), broken, asked(server), concurrency=1))

    [left_out] = [event for event in events if isinstance(event, Notice)]
    assert (left_out.code, left_out.dropped) == ("target_left_out", 27)
    assert "Broken" in left_out.text
    assert "LAB_KEY" in left_out.text
    outcomes = Counter((trial.key.model, trial.outcome) for trial in trials(events))
    assert outcomes == {("broken", "infrastructure"): 3, ("m", "scored"): 30}


def test_a_model_that_says_nothing_has_called_nothing() -> None:
    with faulty_server(lambda *_: "") as server:
        [trial] = trials(run(weather(1), asked(server)))
    assert trial.scored is not None
    assert (trial.outcome, trial.scored.error_type) == ("scored", "no_call")


def test_a_call_in_plain_text_is_marked_and_counts_as_the_spec_says() -> None:
    text = '<tool_call>{"name": "get_weather", "arguments": {"city": "place0"}}</tool_call>'
    with faulty_server(lambda *_: text) as server:
        [strict] = trials(run(weather(1), asked(server)))
        [lenient] = trials(run(weather(1), asked(server), count_recovered=True))
    assert strict.recovered
    assert lenient.recovered
    assert (strict.passed, lenient.passed) == (False, True)


def test_a_refused_tool_choice_is_left_out_and_the_user_is_told() -> None:
    def fate(prompt: str, times: int) -> Fate:
        return 400 if "tool_choice" in latest[-1] else CALL

    latest: list[dict[str, Any]] = []

    class Picky(Faulty):
        def respond(self, body: dict[str, Any]) -> tuple[bytes, bool]:
            latest.append(body)
            response, sent = super().respond(body)
            return response.replace(b"Planned 400.", b"No tool_choice!"), sent

    with serving(Picky(fate)) as server:
        events = list(run(weather(6), asked(server), tool_choice="required", concurrency=1))

    assert [trial.passed for trial in trials(events)] == [True] * 6
    assert "auto" in notices(events)["tool_choice_auto"]
    assert sum(server.asked.values()) == 7, "it is found out once"
    assert "tool_choice" not in trials(events)[-1].transcript["request"]


@pytest.mark.parametrize(
    ("choice", "fate", "told"),
    [
        ("required", WORDS, True),
        ("none", CALL, True),
        ("required", CALL, False),
        ("none", WORDS, False),
        ("auto", WORDS, False),
    ],
)
def test_a_server_that_ignores_the_tool_choice_is_told(choice: str, fate: str, told: bool) -> None:
    with faulty_server(lambda *_: fate) as server:
        events = list(run(weather(3), asked(server), tool_choice=choice))
    assert ("tool_choice_ignored" in notices(events)) is told


def test_forcing_a_call_where_none_is_due_warns() -> None:
    with faulty_server(lambda *_: CALL) as server:
        events = list(
            run(suite(case(expect={"kind": "none"})), asked(server), tool_choice="required")
        )
    assert "1 case expects no call" in notices(events)["no_call_required"]


def test_names_that_were_changed_for_a_provider_are_told_and_mapped_back() -> None:
    dotted = suite(
        case(expect=calls(("get.weather", {"city": "Oslo"}))),
        tools=[{**builders.WEATHER, "name": "get.weather"}],
    )
    with faulty_server(lambda *_: CALL) as server:
        events = list(run(dotted, asked(server)))
    [trial] = trials(events)
    assert trial.passed
    assert trial.transcript["renamed"] == {"get_weather": "get.weather"}
    assert "get.weather" in notices(events)["renamed"]


def test_a_chain_is_a_conversation_over_the_wire() -> None:
    chain = {
        "mocks": [{"tool": "get_weather", "responses": [{"result": {"rain": True}}]}],
        "turns": [{"prompt": "And now?", "expect": {"kind": "none"}}],
    }
    said = itertools.chain([CALL], itertools.repeat(WORDS))
    due = calls(("get_weather", {"city": "Oslo"}))
    with faulty_server(lambda *_: next(said)) as server:
        [trial] = trials(
            run(suite(case(expect=due, chain=chain)), asked(server), tool_choice="required")
        )

    assert trial.passed, trial.scored
    assert (trial.rounds, trial.tokens.input) == (3, 60)
    assert [message["role"] for message in trial.transcript["messages"]] == [
        "user",
        "assistant",
        "tool",
        "assistant",
        "user",
        "assistant",
    ]
    assert server.bodies[1]["messages"][2]["content"] == '{"rain": true}'
    assert [body.get("tool_choice") for body in server.bodies] == ["required", None, "required"]
    assert trial.transcript["state"] == {}


def test_a_chain_whose_request_fails_half_way_keeps_what_was_said() -> None:
    chain = {"mocks": [{"tool": "get_weather", "responses": [{"result": 1}]}]}
    said: Iterator[Fate] = iter([CALL, 500])
    with faulty_server(lambda *_: next(said)) as server:
        [trial] = trials(run(suite(case(chain=chain)), asked(server)))

    assert (trial.outcome, trial.error, trial.rounds) == ("infrastructure", "server", 1)
    assert [item["error"] is None for item in trial.transcript["rounds"]] == [True, False]
    assert len(trial.transcript["messages"]) == 3


def wrong(trial: Trial) -> str | None:
    """What a trial found wrong, None when it passed."""
    return trial.scored.error_type if trial.scored else "lost"


PLACES = "Oslo Bergen Paris London Rome Tokyo Lima Cairo Delhi Quito".split()
FORECAST = {
    "name": "get_weather",
    "description": "The weather forecast for a city.",
    "parameters": {
        "type": "object",
        "properties": {"city": {"type": "string"}, "days": {"type": "integer"}},
        "required": ["city", "days"],
    },
}
MAIL = {
    "name": "mail.send",
    "description": "Send a message to somebody.",
    "parameters": {
        "type": "object",
        "properties": {"to": {"type": "string"}, "subject": {"type": "string"}},
        "required": ["to"],
    },
}


@pytest.mark.parametrize(
    ("prefix", "path"), [("openai", "/v1"), ("anthropic", ""), ("gemini", "/v1beta")]
)
def test_chains_are_the_same_conversation_in_every_format(
    demo: DemoServer, prefix: str, path: str
) -> None:
    """A faultless model, asked in each provider's own words, passes every chain of the sample."""
    sample = sample_suite().model_copy(update={"system_prompt": ""})
    chains = tuple(each.id for each in sample.cases if each.chain)
    base = demo.base_url.removesuffix("/v1") + path
    plain = builders.target(
        "plain",
        litellm_model=f"{prefix}/plain",
        api_base=base,
        api_key="k-demo",
        allow_private=True,
    )

    done = trials(run(sample, plain, cases=chains, concurrency=16, max_tokens=200))

    assert {trial.key.case: wrong(trial) for trial in done} == dict.fromkeys(chains)
    assert max(trial.rounds for trial in done) > 2


def test_a_demo_models_known_skill_is_found(demo: DemoServer) -> None:
    """The truth log names every mistake the model made on purpose: the scores agree with it
    trial by trial, and the interval holds the true skill."""
    forecasts = suite(
        *(
            case(
                f"{city} {days}",
                calls(("get_weather", {"city": city, "days": days})),
                prompt=f"What will the weather be in {city} for the next {days} days?",
            )
            for city in PLACES
            for days in range(2, 14)
        ),
        tools=[FORECAST, MAIL],
    )
    before = len(demo.truth())
    simulated = builders.target("fast-small", api_base=demo.base_url, allow_private=True)

    done = trials(run(forecasts, simulated, concurrency=64, temperature=0.7, max_tokens=48))

    # The counts of its tokens tell which record a trial belongs to.
    truth = Counter(
        (record.mistake, record.input, record.output) for record in demo.truth()[before:]
    )
    assert Counter((wrong(t), t.tokens.input, t.tokens.output) for t in done) == truth
    assert {"no_call", "wrong_tool", "missing_argument", "wrong_value"} < set(map(wrong, done))
    low, high = wilson(sum(trial.passed is True for trial in done), len(done))
    assert low is not None
    assert high is not None
    assert low < 0.80 < high
