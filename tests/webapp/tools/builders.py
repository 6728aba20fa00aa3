"""Suites and evaluations to look at: seeded, stored like a worker does."""

from __future__ import annotations

import random
import time
from collections.abc import Mapping, Sequence
from typing import Any

from engine.samples import Tokens
from engine.specs import TargetRef, ToolEvalSpec
from engine.tools.answers import ArgumentDiff, Scored
from engine.tools.suites import Suite
from engine.tools.trials import Trial, TrialKey
from jobs.trials import store_trials
from webapp.models import Eval, Job, SuiteRow, User
from webapp.tools import store

WEATHER = {
    "name": "get_weather",
    "description": "The weather of a city on a day.",
    "parameters": {
        "type": "object",
        "properties": {"city": {"type": "string"}, "days": {"type": "integer"}},
        "required": ["city"],
    },
}
MAIL = {
    "name": "send_mail",
    "description": "Send a mail.",
    "parameters": {
        "type": "object",
        "properties": {"to": {"type": "string"}, "subject": {"type": "string"}},
        "required": ["to"],
    },
}
CITIES = ("Oslo", "Bergen", "Lima", "Kyoto", "Accra", "Quito")
KINDS = ("simple", "parallel", "no call", "relevance")


def calls(*made: tuple[str, dict[str, Any]], **more: Any) -> dict[str, Any]:
    """An expectation of these calls, each argument with one value."""
    rows = [
        {"name": name, "arguments": {key: {"values": [value]} for key, value in arguments.items()}}
        for name, arguments in made
    ]
    return {"kind": "calls", "alternatives": [rows], **more}


def case(number: int) -> dict[str, Any]:
    """The case of a number: the kinds take turns."""
    kind, city = KINDS[number % len(KINDS)], CITIES[number % len(CITIES)]
    other = CITIES[(number + 1) % len(CITIES)]
    weather = ("get_weather", {"city": city})
    asked = {
        "simple": (f"What is the weather like in {city}?", calls(weather)),
        "parallel": (
            f"Compare the weather of {city} and {other}.",
            calls(weather, ("get_weather", {"city": other})),
        ),
        "no call": (f"Who wrote the national anthem of {city}'s country?", {"kind": "none"}),
        "relevance": (f"Write to the town hall of {city}.", {"kind": "any"}),
    }
    prompt, expect = asked[kind]
    name = f"{kind.replace(' ', '_')}_{number + 1}"
    return {"id": name, "prompt": prompt, "category": kind, "expect": expect}


def suite_data(cases: int = 8, **fields: Any) -> dict[str, Any]:
    """A suite as its JSON says it."""
    made = [case(number) for number in range(cases)]
    return {"name": "Weather and mail", "tools": [WEATHER, MAIL], "cases": made, **fields}


def stored_suite(user: User, cases: int = 8, **fields: Any) -> SuiteRow:
    return store.create(user, Suite.model_validate(suite_data(cases, **fields)), "Made")


# How often a model passes, by its name; others seldom.
SKILL = {"fast-small": 0.9, "slow-large": 0.75, "jittery": 0.6, "flaky": 0.7}
FAULTS = ("wrong_value", "missing_call", "wrong_tool", "no_call", "extra_call")


def trial(key: TrialKey, category: str, outcome: str | None) -> Trial:
    """A trial that passed (None), got something wrong, or whose request failed."""
    if outcome in ("timeout", "rate_limited", "server"):
        message = "The provider did not answer within 120 s."
        return Trial(key, "infrastructure", category, error=outcome, message=message)
    arguments = {"city": "Oslo" if outcome is None else "Bergen"}
    call = {"name": "get_weather", "arguments": arguments, "raw": '{"city": "Oslo"}', "id": "c1"}
    part = 1.0 if outcome is None else 0.5
    silent = outcome == "no_call"
    scored = Scored(
        passed=outcome is None,
        error_type=outcome,
        scores={"overall": 0.6 + 0.4 * part, "selection": 1.0, "arguments": part, "schema": 1.0},
        reason="Every call is right." if outcome is None else "city is Bergen, not Oslo.",
        diffs=(
            ArgumentDiff(
                0, "city", ["Oslo"], arguments["city"], True, "exactly equal to “Oslo”", outcome
            ),
        ),
        errors=(outcome,) if outcome else (),
    )
    return Trial(
        key,
        "scored",
        category,
        scored=scored,
        tokens=Tokens(210, 24, source="usage"),
        cost_usd=0.00021,
        ttft_ms=118.0,
        e2e_ms=310.0,
        rounds=1,
        started_at=time.time(),
        transcript={
            "messages": [
                {"role": "user", "content": "What is the weather like in Oslo?"},
                {"role": "assistant", "content": None, "tool_calls": [
                    {"id": "c1", "type": "function",
                     "function": {"name": "get_weather", "arguments": '{"city": "Oslo"}'}}]},
            ],
            "request": {"model": "openai/fast-small", "temperature": 0.0, "max_tokens": 1024},
            "tools": ["get_weather", "send_mail"],
            "renamed": {},
            "rounds": [{"turn": 0, "text": "Look outside." if silent else "", "reasoning": "",
                        "calls": [] if silent else [call],
                        "recovered": False, "finish_reason": "tool_calls",
                        "tokens": {"input": 210, "output": 24}, "ttft_ms": 118.0,
                        "e2e_ms": 310.0}],
            "state": None,
        },
    )  # fmt: skip


def trials_of(
    content: Mapping[str, Any], spec: ToolEvalSpec, seed: int = 1, failing: float = 0.0
) -> list[Trial]:
    """Every trial, models taking turns. A case is as hard for one model as for another."""
    rng = random.Random(seed)
    found = []
    for one in content["cases"]:
        ease = rng.random()
        for number in range(spec.trials):
            for ref in spec.targets:
                key = TrialKey(ref.provider, ref.model, one["id"], number)
                skill = SKILL.get(ref.model, 0.4)
                passed = rng.random() < skill + 0.3 * (ease - 0.5)
                outcome = None if passed else rng.choice(FAULTS)
                if rng.random() < failing:
                    outcome = rng.choice(("timeout", "rate_limited"))
                found.append(trial(key, one["category"], outcome))
    return found


def spec_of(models: Sequence[str], **fields: Any) -> ToolEvalSpec:
    refs = tuple(TargetRef(provider="demo", model=model) for model in models)
    return ToolEvalSpec(targets=refs, **fields)


def stored_eval(
    user: User,
    models: Sequence[str] = ("fast-small", "slow-large"),
    *,
    cases: int = 8,
    state: str = "done",
    name: str = "Weather and mail, two models",
    done: int | None = None,
    seed: int = 1,
    failing: float = 0.0,
    trials: Sequence[Trial] | None = None,
    content: dict[str, Any] | None = None,
    age_s: float = 0.0,
    **fields: Any,
) -> Eval:
    """An evaluation with its job and the first `done` trials (default: all)."""
    content = content or suite_data(cases)
    spec = spec_of(models, **fields)
    made = list(trials) if trials is not None else trials_of(content, spec, seed, failing)
    kept = made if done is None else made[:done]
    began = time.time() - age_s - 60
    times: dict[str, Any] = {} if state == "queued" else {"started_at": began}
    if state not in ("queued", "running"):
        times["finished_at"] = began + 60
    failed = sum(one.outcome == "infrastructure" for one in kept)
    counts = {"total": len(made), "done": len(kept), "failed": failed}
    stored = spec.model_dump(mode="json")
    job = Job.create(
        user=user, kind="tool_eval", spec=stored, title=name, state=state, **counts, **times
    )
    labels = [
        {"provider": "demo", "model": model, "label": model, "provider_label": "Demo (simulated)"}
        for model in models
    ]
    row: Eval = Eval.create(user=user, job=job, name=name, spec=job.spec, suite=content,
                            targets=labels, created_at=began)  # fmt: skip
    Job.update(subject=row.id).where(Job.id == job.id).execute()
    store_trials(row, kept)
    return row
