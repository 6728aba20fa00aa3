"""Recorded calls: lines of `{"id", "calls"}` beside a suite, to be scored without a model."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from engine.tools.answers import Answer, Call
from engine.tools.arguments import read_arguments
from engine.tools.io import bfcl, detect, import_suite
from engine.tools.io.problems import ImportProblem, Source
from engine.tools.suites import CASES_MAX, Suite

NO_ANSWER = "has no possible answer; give the file that holds it with --answers"


class Recorded(NamedTuple):
    """A line of calls: its number, the case it answers, and the answer."""

    line: int
    case: str
    answer: Answer


class Loaded(NamedTuple):
    """What to score with: a file of more cases than a suite holds is several suites.
    `unanswered` are the cases of which nobody said what is right: their schemas can be
    checked, and nothing else."""

    suites: tuple[Suite, ...]
    unanswered: frozenset[str]

    @property
    def suite(self) -> Suite:
        """The only one. Raises ImportProblem where one suite cannot hold the cases."""
        if len(self.suites) > 1:
            reason = f"A suite has at most {CASES_MAX:,} cases; split the file."
            raise ImportProblem(None, reason)
        return self.suites[0]


def load_suite(suite: Source, answers: Source | None) -> Loaded:
    """The cases in a file of ours or of BFCL's (then with its possible answers). Raises
    ImportProblem."""
    if answers is None and detect(suite) != bfcl.KEY:
        return Loaded((import_suite([suite]).suite,), frozenset())
    return Loaded(*bfcl.read_all([suite] if answers is None else [suite, answers]))


def read_calls(source: Source, known: Iterable[str]) -> Iterator[Recorded]:
    """Each line of a file of calls, in order; ids may repeat and must be `known`. Raises
    ImportProblem with the line."""
    ids = frozenset(known)
    for number, text in enumerate(_text(source).split("\n"), start=1):
        if not text.strip():
            continue
        try:
            value = json.loads(text)
        except (ValueError, RecursionError) as error:
            reason = f"This is not JSON: {str(error)[:120] or 'it is nested too deep'}."
            raise ImportProblem(number, reason, source.name) from None
        try:
            case_id, answer = _answer(value)
        except ValueError as error:
            raise ImportProblem(number, f"{error}.", source.name) from None
        if case_id not in ids:
            raise ImportProblem(number, f"The suite has no case {case_id!r}.", source.name)
        yield Recorded(number, case_id, answer)


def _text(source: Source) -> str:
    """No limit of size: nothing of it is kept."""
    try:
        return source.data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = source.data.count(b"\n", 0, error.start) + 1
        raise ImportProblem(line, "This is not UTF-8 text.", source.name) from None


def _answer(value: Any) -> tuple[str, Answer]:
    if not isinstance(value, dict) or not isinstance(value.get("id"), str):
        raise ValueError("A line is an object with an id and calls")  # noqa: TRY004 - of a file
    if "calls" not in value:
        raise ValueError("calls is missing; write null where the answer could not be read")
    listed, text = value["calls"], value.get("text", "")
    text = text if isinstance(text, str) else json.dumps(text)
    if listed is None:
        return value["id"], Answer(None, text)
    if not isinstance(listed, list):
        raise ValueError("calls is a list, or null")  # noqa: TRY004 - of a file
    return value["id"], Answer(tuple(map(call_of, listed)), text)


def call_of(item: Any) -> Call:
    """`{"name", "arguments"}`, the same inside OpenAI's `function`, or BFCL's `{name:
    arguments}`. ValueError for anything else."""
    if isinstance(item, dict):
        inner = item.get("function")
        if isinstance(inner, dict) and "name" in inner:
            item = inner
        name = item.get("name")
        if isinstance(name, str) and item.keys() <= _KEYS:
            return Call(name, *_arguments(item.get("arguments", {})))
        if len(item) == 1:
            [(name, arguments)] = item.items()
            if isinstance(arguments, dict):
                return Call(name, arguments)
    raise ValueError('A call is {"name": …, "arguments": {…}}')


_KEYS = frozenset({"name", "arguments", "id", "type", "index"})


def _arguments(given: Any) -> tuple[dict[str, Any] | None, str]:
    """The arguments and how they were written: an object, or the text of one. What is neither
    could not be read: None."""
    if isinstance(given, dict):
        return given, ""
    if given is None:
        return {}, ""
    if not isinstance(given, str):
        return None, json.dumps(given)
    return read_arguments(given), given
