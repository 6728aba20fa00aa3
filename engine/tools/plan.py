"""What an evaluation tries, and in which order."""

from __future__ import annotations

import random
from collections.abc import Sequence

from engine.specs import ToolEvalSpec
from engine.targets import Target
from engine.tools.suites import Case, Suite
from engine.tools.trials import TrialKey


class NoSuchCase(ValueError):
    """The spec names a case the suite does not have; the text is a sentence."""


def cases_of(spec: ToolEvalSpec, suite: Suite) -> list[Case]:
    """The cases to try, in the suite's order. Raises NoSuchCase."""
    if not spec.cases:
        return list(suite.cases)
    known = {case.id for case in suite.cases}
    if missing := [name for name in spec.cases if name not in known]:
        raise NoSuchCase(f"The suite has no case {missing[0]!r}.")
    return [case for case in suite.cases if case.id in set(spec.cases)]


def plan_trials(
    spec: ToolEvalSpec, suite: Suite, targets: Sequence[Target]
) -> dict[str, list[TrialKey]]:
    """The trials of each provider in their order.

    The trials of a case lie as far apart as they can, and the models of a provider take
    turns, so that a slow hour does not become a slow model. The seed decides the order.
    """
    cases = cases_of(spec, suite)
    lanes: dict[str, list[TrialKey]] = {}
    for provider in dict.fromkeys(target.provider for target in targets):
        models = [target.model for target in targets if target.provider == provider]
        lanes[provider] = [
            TrialKey(provider, model, case.id, trial)
            for trial, place, case in _rounds(spec, cases)
            for model in models[place % len(models) :] + models[: place % len(models)]
        ]
    return lanes


def _rounds(spec: ToolEvalSpec, cases: Sequence[Case]) -> list[tuple[int, int, Case]]:
    """(trial, place, case): every case once, then those with a second trial, and so on."""
    wanted = {case.id: case.trials or spec.trials for case in cases}
    order: list[tuple[int, int, Case]] = []
    for trial in range(max(wanted.values(), default=0)):
        taking = [case for case in cases if wanted[case.id] > trial]
        random.Random(f"{spec.seed}:{trial}").shuffle(taking)
        order += [(trial, place, case) for place, case in enumerate(taking)]
    return order
