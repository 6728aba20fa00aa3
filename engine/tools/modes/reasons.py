"""Why a trial failed, as one sentence."""

from __future__ import annotations

from collections.abc import Sequence

from engine.tools.answers import ArgumentDiff

_SENTENCES = {
    "malformed_arguments": "The model tried to call a tool and its call could not be read.",
    "no_call": "No tool was called, though a call was due.",
    "unneeded_call": "A tool was called, though none was needed.",
    "wrong_order": "The calls came in another order than is due.",
}


def reason_of(error: str, diffs: Sequence[ArgumentDiff]) -> str:
    """The sentence for the worst class: its own, or the rule of the first diff of the class,
    with the argument's name."""
    if error in _SENTENCES:
        return _SENTENCES[error]
    diff = next((diff for diff in diffs if diff.error == error), None)
    if diff is None:
        return f"{error.replace('_', ' ').capitalize()}."
    if not diff.name:
        return f"{diff.found}: {diff.rule}" if error == "unknown_tool" else diff.rule
    return f"{diff.name}: {diff.rule}"
