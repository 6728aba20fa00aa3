"""What an evaluation tries, and in which order."""

from __future__ import annotations

import random
from collections.abc import Sequence

from engine.specs import ToolEvalSpec
from engine.targets import Target
from engine.tools.checks import NO_SIMILARITY
from engine.tools.modes.bfcl import SOURCE_TEXT, is_source_text
from engine.tools.suites import Case, ExpectCalls, Suite
from engine.tools.trials import TrialKey


class CannotRun(ValueError):
    """The evaluation makes no sense on this suite; the text is a sentence."""


def cases_of(spec: ToolEvalSpec, suite: Suite) -> list[Case]:
    """The cases to try, in the suite's order. Raises CannotRun for one it
    does not have."""
    if not spec.cases:
        return list(suite.cases)
    known = {case.id for case in suite.cases}
    if missing := [name for name in spec.cases if name not in known]:
        raise CannotRun(f"The suite has no case {missing[0]!r}.")
    return [case for case in suite.cases if case.id in set(spec.cases)]


def check_scorable(spec: ToolEvalSpec, suite: Suite, *, similarity: bool) -> None:
    """Raise CannotRun when a case could be asked and then not be scored. `similarity` says
    that semantic matchers have somebody to ask."""
    for case in cases_of(spec, suite):
        if not similarity and "semantic" in _matchers(case, suite):
            raise CannotRun(f"Case {case.id!r}: {NO_SIMILARITY}")
        calls = isinstance(case.expect, ExpectCalls) and case.chain is None
        if spec.mode == "bfcl" and calls and is_source_text(case.category):
            raise CannotRun(f"Case {case.id!r}: {SOURCE_TEXT}")


def _matchers(case: Case, suite: Suite) -> set[str]:
    """The kinds of matchers that a case comes to use."""
    turns = case.chain.turns if case.chain else ()
    expectations = (case.expect, *(turn.expect for turn in turns))
    arguments = [
        argument
        for expect in expectations
        if isinstance(expect, ExpectCalls)
        for calls in expect.alternatives
        for call in calls
        for argument in call.arguments.values()
        if not argument.ignore
    ]
    default = case.match or suite.match
    return {(argument.match or default).kind for argument in arguments}


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
