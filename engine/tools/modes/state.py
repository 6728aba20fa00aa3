"""The end state alone: any path that gets there passes."""

from __future__ import annotations

from typing import Any

from engine.tools.answers import ArgumentDiff, Scored
from engine.tools.matchers.base import shown
from engine.tools.matchers.subset import holds
from engine.tools.modes.context import Context
from engine.tools.suites import ExpectState


def judge(expect: ExpectState, context: Context) -> Scored:
    """The share of the expected keys that the end state holds."""
    state = context.end_state or {}
    diffs = tuple(_held(key, value, state) for key, value in expect.state.items())
    right = sum(diff.error is None for diff in diffs)
    part = right / len(diffs) if diffs else 1.0
    scores = {"overall": part, "state": part}
    if part == 1:
        return Scored(True, None, scores, "The end state is reached.", diffs)
    missed = next(diff for diff in diffs if diff.error)
    reason = f"{missed.name} is {shown(missed.found)} at the end, not {shown(missed.expected)}."
    return Scored(False, "stalled_chain", scores, reason, diffs, ("stalled_chain",))


def _held(key: str, value: Any, state: dict[str, Any]) -> ArgumentDiff:
    fits = key in state and holds(state[key], value)
    rule = f"{'Holds' if fits else 'Must hold'} at least {shown(value)}."
    error = None if fits else "stalled_chain"
    return ArgumentDiff(-1, key, value, state.get(key), key in state, rule, error)
