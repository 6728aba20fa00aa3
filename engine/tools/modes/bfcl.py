"""The Berkeley Function Calling Leaderboard's rules, verdict for verdict."""

from __future__ import annotations

from engine.tools.answers import Answer, Scored
from engine.tools.modes.context import Context
from engine.tools.rules import CaseRules


def judge(rules: CaseRules, answer: Answer, context: Context) -> Scored:
    raise NotImplementedError
