"""Results of an evaluation as the JSON document `studio.tools/1`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from engine.specs import ToolEvalSpec
from engine.targets import Target
from engine.tools.aggregates import (
    CaseCount,
    Tally,
    by_category,
    case_passes,
    counts_by_case,
    flaky_cases,
    repeats,
    result_of,
    tally,
)
from engine.tools.plan import cases_of
from engine.tools.suites import Case, Suite
from engine.tools.trials import Trial

SCHEMA = "studio.tools/1"


def document(
    trials: Sequence[Trial],
    spec: ToolEvalSpec,
    suite: Suite,
    targets: Sequence[Target],
    environment: Mapping[str, Any],
    notices: Sequence[Mapping[str, Any]] = (),
) -> dict[str, Any]:
    """One result for each target. The spec stands in the environment, so that a file says what
    was asked; a case reaches its threshold or the spec's, over its scored trials."""
    cases = cases_of(spec, suite)
    return {
        "schema": SCHEMA,
        "environment": {**environment, "spec": spec.model_dump(mode="json")},
        "suite": {"name": suite.name, "cases": len(cases), "tools": len(suite.tools)},
        "notices": list(notices),
        "results": [_result(target, trials, spec, cases) for target in targets],
    }


def _result(
    target: Target, every: Sequence[Trial], spec: ToolEvalSpec, cases: Sequence[Case]
) -> dict[str, Any]:
    place = {case.id: (index, case) for index, case in enumerate(cases)}
    key = (target.provider, target.model)
    trials = sorted(
        (trial for trial in every if (trial.key.provider, trial.key.model) == key),
        key=lambda trial: (place[trial.key.case][0], trial.key.trial),
    )
    results = [result_of(trial, place[trial.key.case][1].weight) for trial in trials]
    name = f"{target.provider}/{target.model}"
    counts = counts_by_case(results)
    met = {
        case.id: case_passes(
            counts.get((name, case.id), CaseCount(0, 0)), case.threshold or spec.threshold
        )
        for case in cases
    }
    return {
        "provider": target.provider,
        "model": target.model,
        "label": target.label or target.model,
        "simulated": target.simulated,
        "met": all(met.values()) and bool(met),
        "cases": {"total": len(cases), "met": sum(met.values())},
        **_figures(tally(results)),
        "infrastructure": dict(Counter(t.error for t in trials if t.outcome == "infrastructure")),
        "incomplete": sum(trial.outcome == "incomplete" for trial in trials),
        "recovered": sum(trial.recovered for trial in trials),
        "parts": _parts(trials),
        "categories": {
            category: _figures(figures) for (_, category), figures in by_category(results).items()
        },
        "repeats": [
            {"k": r.k, "cases": r.cases, "pass_at_k": r.at_least_one, "pass_hat_k": r.all_of_them}
            for r in repeats(results).get(name, ())
        ],
        "flaky": [case for _, case in flaky_cases(results)],
        "missed": [case for case, reached in met.items() if not reached],
        "cost_usd": _total([trial.cost_usd for trial in trials]),
        "trials": [_row(trial) for trial in trials],
    }


def _figures(figures: Tally) -> dict[str, Any]:
    return {
        "scored": figures.n,
        "passed": figures.passed,
        "rate": figures.rate,
        "ci95": list(figures.ci),
        "score": figures.score,
        "errors": figures.errors,
    }


def _parts(trials: Sequence[Trial]) -> dict[str, float]:
    """The mean of each part of the score, over the trials it applies to."""
    found: dict[str, list[float]] = {}
    for trial in trials:
        for name, value in (trial.scored.scores if trial.scored else {}).items():
            found.setdefault(name, []).append(value)
    return {name: sum(values) / len(values) for name, values in found.items()}


def _row(trial: Trial) -> dict[str, Any]:
    scored = trial.scored
    rounds = trial.transcript.get("rounds", ())
    return {
        "case": trial.key.case,
        "trial": trial.key.trial,
        "outcome": trial.outcome,
        "pass": trial.passed,
        "error_type": scored.error_type if scored else None,
        "reason": scored.reason if scored else None,
        "scores": scored.scores if scored else {},
        "error": trial.error,
        "message": trial.message,
        "recovered": trial.recovered,
        "calls": [
            {"name": call["name"], "arguments": call["arguments"]}
            for item in rounds
            for call in item["calls"] or ()
        ],
        "messages": trial.transcript.get("messages", []),
        "rounds": trial.rounds,
        "tokens": {"input": trial.tokens.input, "output": trial.tokens.output},
        "cost_usd": trial.cost_usd,
        "ttft_ms": trial.ttft_ms,
        "e2e_ms": trial.e2e_ms,
    }


def _total(costs: Sequence[float | None]) -> float | None:
    known = [cost for cost in costs if cost is not None]
    return sum(known) if known else None
