"""Answers against cases: one score for each trial, by one of four modes.

`score` judges one answer; who has many keeps a `Scorer`, which makes schemas and expectations
of a suite ready once.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from engine.specs import ToolWeights
from engine.tools.answers import Answer, Mode, Scored
from engine.tools.matchers import Similarity
from engine.tools.modes import bfcl, schema, studio
from engine.tools.modes.context import Context
from engine.tools.modes.parts import failed
from engine.tools.rules import CaseRules, ToolRules, rules_of
from engine.tools.suites import Case, ExpectAny, ExpectCalls, ExpectNone, Suite

__all__ = ["MODES", "Scorer", "score"]

_TOO_DEEP = "The arguments are nested deeper than values can be compared."
Judge = Callable[[CaseRules, Answer, Context], Scored]

MODES: dict[str, Judge] = {
    "studio": studio.judge,
    "bfcl": bfcl.judge,
    "schema": schema.judge,
    # A case that expects a state is judged by its state alone in both; chains add their own
    # parts in the studio's mode only. A case that expects none is scored as the studio does.
    "state": studio.judge,
}


class Scorer:
    """A suite, ready to score answers to its cases.

    `count_recovered`: calls that a model wrote as plain text count as calls. `similarity`
    (two texts → 0 to 1) is asked by semantic matchers; without it they raise NoSimilarity.
    """

    def __init__(
        self,
        suite: Suite,
        *,
        mode: Mode = "studio",
        weights: ToolWeights | None = None,
        count_recovered: bool = False,
        similarity: Similarity | None = None,
    ) -> None:
        self.suite = suite
        self._judge = MODES[mode]
        self._context = Context(weights or ToolWeights(), count_recovered, similarity)
        self._tools: dict[str, ToolRules] = rules_of(suite.tools)
        self._cases: dict[str, CaseRules] = {}

    def score(
        self, case: Case, answer: Answer, *, end_state: dict[str, Any] | None = None
    ) -> Scored:
        """The score of one answer. `end_state` is what the mock tools' state came to, for
        cases that expect one."""
        context = self._context
        if end_state is not None:
            context = context.ending(end_state)
        try:
            return self._judge(self.rules(case), answer, context)
        except RecursionError:
            return failed("malformed_arguments", ("overall",), reason=_TOO_DEEP)

    def score_calls(
        self, case: Case, expect: ExpectCalls | ExpectNone | ExpectAny, answer: Answer
    ) -> Scored:
        """One answer against another expectation than the case's own (a turn's), by the rules
        of the studio, with the case's tools and matchers."""
        return studio.judge_expectation(self.rules(case), expect, answer, self._context)

    def rules(self, case: Case) -> CaseRules:
        """The case, ready; made once."""
        ready = self._cases.get(case.id)
        if ready is None or ready.case is not case:
            tools = self._tools if case.tools is None else rules_of(case.tools)
            ready = self._cases[case.id] = CaseRules(case, self.suite, tools)
        return ready


def score(
    case: Case,
    suite: Suite,
    answer: Answer,
    *,
    mode: Mode = "studio",
    weights: ToolWeights | None = None,
    count_recovered: bool = False,
    similarity: Similarity | None = None,
    end_state: dict[str, Any] | None = None,
) -> Scored:
    """The score of one answer, where there is only one; see `Scorer`."""
    scorer = Scorer(
        suite,
        mode=mode,
        weights=weights,
        count_recovered=count_recovered,
        similarity=similarity,
    )
    return scorer.score(case, answer, end_state=end_state)
