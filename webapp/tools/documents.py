"""A suite as the editors handle it: a plain document, checked as one whatever was edited.

Forms, the JSON tab and imports all end in `check`, so that they refuse the same things.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from pydantic import ValidationError

from engine.specs import explain
from engine.tools.checks import suite_problems
from engine.tools.io.studio import lean
from engine.tools.suites import Suite

# pydantic puts the kind that it chose into a path; whoever writes the document does not.
_CHOSEN = frozenset(
    "calls none any state exact one_of fuzzy contains regex numeric date set list subset allowed"
    " semantic ExpectCalls ExpectNone ExpectAny".split()
)
_CHOICES = ("expect", "match")


class Problem(NamedTuple):
    """What is wrong at `path` (`cases.3.expect.alternatives.0.0.name`), in one sentence."""

    path: str
    sentence: str


@dataclass(frozen=True, slots=True)
class Checked:
    """Either the suite, or what is wrong with it."""

    suite: Suite | None
    problems: tuple[Problem, ...] = ()


def check(data: Mapping[str, Any]) -> Checked:
    """Build the suite that `data` describes."""
    try:
        suite = Suite.model_validate(data)
    except ValidationError as error:
        said = explain(error)
        return Checked(None, tuple(Problem(_plain(path), text) for path, text in said.items()))
    return found_in(suite)


def found_in(suite: Suite) -> Checked:
    """The rest of the check, for a suite that could be built. Whether a semantic matcher has
    a model to ask is known when an evaluation starts, not here."""
    said = suite_problems(suite, similarity=True)
    found = tuple(Problem(path, text) for path, text in said.items())
    return Checked(None if found else suite, found)


def check_text(text: str) -> Checked:
    """The same for JSON as it was typed."""
    try:
        data = json.loads(text)
    except (json.JSONDecodeError, RecursionError) as error:
        return Checked(None, (Problem("", _broken(error)),))
    if not isinstance(data, dict):
        return Checked(None, (Problem("", "A suite is a JSON object with name, tools and cases."),))
    return check(data)


def document(suite: Suite) -> dict[str, Any]:
    """The suite as plain data, without what is as the format has it by default."""
    return lean(suite)


def pretty(data: Any) -> str:
    """JSON to read and to edit."""
    return json.dumps(data, ensure_ascii=False, indent=2)


def _plain(path: str) -> str:
    kept: list[str] = []
    for part in path.split("."):
        if not (kept and kept[-1] in _CHOICES and part in _CHOSEN):
            kept.append(part)
    return ".".join(kept)


def _broken(error: json.JSONDecodeError | RecursionError) -> str:
    if isinstance(error, RecursionError):
        return "This is nested too deeply to be read."
    said = f"{error.msg[:1].lower()}{error.msg[1:]}"
    return f"Line {error.lineno}, column {error.colno} is not JSON: {said}."
