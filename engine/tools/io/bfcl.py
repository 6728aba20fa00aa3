"""BFCL v3 and v4: JSON lines of questions, with their possible answers in a second file.

Everything in these files is data: calls in a ground truth are parsed, never run. Cases of
several turns need the documents of their functions, too; without them the tools are made from
the calls that are expected.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from pydantic import ValidationError

from engine.tools.io import bfcl_turns
from engine.tools.io.bfcl_cases import answer_of, category_of, messages_of, tool_of
from engine.tools.io.bfcl_export import export
from engine.tools.io.problems import Exported, Imported, ImportProblem, Source
from engine.tools.io.text import Line, decoded, json_items, refused
from engine.tools.suites import CASES_MAX, Case, Suite, Tool

KEY = "bfcl"
LABEL = "BFCL (JSON lines)"


def fits(value: Any) -> bool:
    """Whether the first line of a file, or a whole file that is one list, is of this format."""
    if isinstance(value, list):
        return bool(value) and _is_line(value[0])
    return _is_line(value) or (isinstance(value, dict) and _is_document(value))


def _is_line(value: Any) -> bool:
    has_id = isinstance(value, dict) and "id" in value
    return has_id and ("question" in value or "ground_truth" in value)


def _is_document(value: dict[str, Any]) -> bool:
    """A function's document, as the files in multi_turn_func_doc have them."""
    return (
        isinstance(value.get("name"), str)
        and isinstance(value.get("parameters"), dict)
        and "description" in value
        and "type" not in value
    )


@dataclass(slots=True)
class _Files:
    """The lines of all files by what they are. `documents` are tools by the file's name."""

    questions: dict[str, tuple[Line, str]] = field(default_factory=dict)
    answers: dict[str, tuple[Line, str]] = field(default_factory=dict)
    documents: dict[str, list[Tool]] = field(default_factory=dict)


def read(sources: list[Source], name: str) -> Imported:
    """The suite in questions and answers, in any order of files. Raises ImportProblem."""
    files = _sorted(sources)
    if len(files.questions) > CASES_MAX:
        raise ImportProblem(None, f"A suite has at most {CASES_MAX:,} cases; split the file.")
    cases = tuple(_case(line, file, files) for line, file in files.questions.values())
    suite = Suite(name=name or _name_of(sources[0].name, cases), cases=cases)
    places = [(line.number, file) for line, file in files.questions.values()]
    return Imported(suite, KEY, tuple(_notes(files, cases)), lambda path: places[int(path[1])])


def read_all(sources: list[Source]) -> tuple[tuple[Suite, ...], frozenset[str]]:
    """Suites of as many cases as one may have, and the questions of one turn for which no
    possible answer was given: theirs expects a call of no tool. Raises ImportProblem."""
    files = _sorted(sources)
    unanswered = [case_id for case_id in files.questions if _is_unanswered(case_id, files)]
    for case_id in unanswered:
        nothing_said = {"id": case_id, "ground_truth": [{"?": {}}]}
        files.answers[case_id] = (Line(0, nothing_said), "")
    cases = [_case(line, file, files) for line, file in files.questions.values()]
    parts = [tuple(cases[at : at + CASES_MAX]) for at in range(0, len(cases), CASES_MAX)]
    name = _name_of(sources[0].name, parts[0])
    return tuple(Suite(name=name, cases=part) for part in parts), frozenset(unanswered)


def _is_unanswered(case_id: str, files: _Files) -> bool:
    category = category_of(case_id)
    due = "relevance" not in category and "multi_turn" not in category
    return due and case_id not in files.answers


def _sorted(sources: Iterable[Source]) -> _Files:
    files = _Files()
    for source in sources:
        for line in json_items(decoded(source), source.name):
            _sort(line, source.name, files)
    if not files.questions:
        reason = "There is no question in these files; add the file that has them."
        raise ImportProblem(None, reason)
    return files


def _sort(line: Line, file: str, files: _Files) -> None:
    value = line.value
    if isinstance(value, dict) and _is_document(value) and "id" not in value:
        files.documents.setdefault(file, []).append(tool_of(value, line, file))
        return
    case_id = value.get("id") if isinstance(value, dict) else None
    if not isinstance(case_id, str) or not case_id:
        raise ImportProblem(line.number, "This line has no id.", file)
    if "question" in value:
        _add(files.questions, case_id, line, file)
    if "ground_truth" in value:
        _add(files.answers, case_id, line, file)
    if "question" not in value and "ground_truth" not in value:
        raise ImportProblem(line.number, f"{case_id} has neither question nor ground_truth.", file)


def _add(table: dict[str, tuple[Line, str]], case_id: str, line: Line, file: str) -> None:
    if case_id in table:
        first, where = table[case_id]
        place = f"line {first.number}" + (f" of {where}" if where != file else "")
        raise ImportProblem(line.number, f"The id {case_id!r} stands on {place} already.", file)
    table[case_id] = (line, file)


def _case(line: Line, file: str, files: _Files) -> Case:
    data = line.value
    case_id, category = data["id"], category_of(data["id"])
    turns = messages_of(data["question"], line, file)
    answer = files.answers.get(case_id)
    try:
        if bfcl_turns.has_turns(data, category):
            return bfcl_turns.case(data, turns, answer, files.documents, (line, file), category)
        listed = data.get("function", ())
        functions = listed if isinstance(listed, list) else [listed]
        tools = tuple(tool_of(function, line, file) for function in functions)
        expect = answer_of(category, case_id, answer, (line, file))
        alone = len(turns[0]) == 1 and turns[0][0]["role"] == "user"
        return Case(
            id=case_id,
            prompt=turns[0][0]["content"] if alone else "",
            messages=() if alone else tuple(turns[0]),
            expect=expect,
            tools=_distinct(tools, line, file),
            category=category,
        )
    except ValidationError as error:
        raise refused(error, line=line.number, file=file) from None


def _distinct(tools: tuple[Tool, ...], line: Line, file: str) -> tuple[Tool, ...]:
    twice = [name for name, n in Counter(tool.name for tool in tools).items() if n > 1]
    if twice:
        raise ImportProblem(line.number, f"The tool {twice[0]!r} stands there twice.", file)
    return tools


def _name_of(file: str, cases: tuple[Case, ...]) -> str:
    names = list(dict.fromkeys(case.category for case in cases if case.category))
    if names:
        more = f" and {len(names) - 1} more" if len(names) > 1 else ""
        return f"BFCL {names[0]}{more}"[:120]
    return file[:120] or "BFCL"


def _notes(files: _Files, cases: tuple[Case, ...]) -> Iterable[str]:
    lonely = files.answers.keys() - files.questions.keys()
    if lonely:
        yield f"Answers without a question here were left out: {len(lonely):,}."
    if any(case.chain is not None for case in cases):
        yield bfcl_turns.NOTE
        if not files.documents:
            yield bfcl_turns.NO_DOCUMENTS


def write(suite: Suite) -> Exported:
    """Questions and possible answers of the cases that BFCL can say."""
    return export(suite)
