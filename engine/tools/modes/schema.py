"""Validity alone: are the calls' arguments what the tools' schemas allow?"""

from __future__ import annotations

from engine.tools.answers import Answer, Scored
from engine.tools.modes.context import Context
from engine.tools.modes.parts import failed, schema_share, scored
from engine.tools.rules import CaseRules
from engine.tools.suites import ExpectAny, ExpectCalls

_PARTS = ("overall", "schema")


def judge(rules: CaseRules, answer: Answer, context: Context) -> Scored:
    """Full when every call is of a tool on offer and valid. No call is valid where none is
    due; an answer that could not be read is never."""
    calls = context.counted(answer)
    if calls is None:
        return failed("malformed_arguments", _PARTS)
    if not calls:
        if isinstance(rules.case.expect, ExpectCalls | ExpectAny):
            return failed("no_call", _PARTS)
        return scored(dict.fromkeys(_PARTS, 1.0), [])
    valid, diffs = schema_share(rules, calls, set())
    return scored(dict.fromkeys(_PARTS, valid), diffs)
