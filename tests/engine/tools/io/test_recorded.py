"""Recorded calls: how a call may be written, and what is refused with its line."""

from __future__ import annotations

import json
from typing import Any

import pytest

from engine.tools.answers import Answer, Call
from engine.tools.io import bfcl, recorded
from engine.tools.io.problems import ImportProblem, Source
from engine.tools.io.recorded import load_suite, read_calls

DONE = Call("f", {"x": 1})


def read(*lines: Any) -> list[Answer]:
    text = "\n".join(line if isinstance(line, str) else json.dumps(line) for line in lines)
    return [item.answer for item in read_calls(Source("calls.jsonl", text.encode()), ["a"])]


@pytest.mark.parametrize(
    ("call", "expected"),
    [
        ({"name": "f", "arguments": {"x": 1}}, DONE),
        ({"name": "f", "arguments": '{"x": 1}'}, Call("f", {"x": 1}, '{"x": 1}')),
        ({"id": "1", "type": "function", "function": {"name": "f", "arguments": {"x": 1}}}, DONE),
        ({"f": {"x": 1}}, DONE),
        ({"name": {"x": 1}}, Call("name", {"x": 1})),
        ({"name": "f"}, Call("f", {})),
        ({"name": "f", "arguments": None}, Call("f", {})),
        ({"name": "f", "arguments": ""}, Call("f", {})),
        ({"name": "f", "arguments": '{"x": '}, Call("f", None, '{"x": ')),
        ({"name": "f", "arguments": "[1]"}, Call("f", None, "[1]")),
        ({"name": "f", "arguments": [1]}, Call("f", None, "[1]")),
    ],
)
def test_a_call_may_be_written_in_several_ways(call: Any, expected: Call) -> None:
    assert read({"id": "a", "calls": [call]}) == [Answer((expected,))]


def test_lines_keep_their_order_and_ids_may_repeat() -> None:
    answers = read({"id": "a", "calls": []}, "", {"id": "a", "calls": None, "text": "no"})
    assert answers == [Answer(()), Answer(None, "no")]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("{", "This is not JSON"),
        ("[" * 100_000, "This is not JSON"),
        ("9" * 5_000, "This is not JSON"),
        ([], "A line is an object with an id and calls"),
        ({"id": 1, "calls": []}, "A line is an object with an id and calls"),
        ({"id": "a"}, "calls is missing"),
        ({"id": "a", "calls": {}}, "calls is a list, or null"),
        ({"id": "a", "calls": ["f(x=1)"]}, "A call is"),
        ({"id": "a", "calls": [{"name": "f", "arguments": {}, "output": 1}]}, "A call is"),
        ({"id": "b", "calls": []}, "The suite has no case 'b'"),
    ],
)
def test_a_broken_line_is_named(line: Any, reason: str) -> None:
    with pytest.raises(ImportProblem) as caught:
        read({"id": "a", "calls": []}, line)
    assert str(caught.value).startswith("calls.jsonl, line 2: ")
    assert reason in str(caught.value)


def test_calls_that_are_not_text_are_named() -> None:
    with pytest.raises(ImportProblem, match="line 2: This is not UTF-8"):
        list(read_calls(Source("c", b'{"id": "a", "calls": []}\n\xff'), ["a"]))


FUNCTION = {"name": "f", "description": "", "parameters": {"type": "dict", "properties": {}}}


def question(case_id: str) -> dict[str, Any]:
    return {"id": case_id, "question": [[{"role": "user", "content": "?"}]], "function": [FUNCTION]}


def file(*items: Any, array: bool = False) -> Source:
    lines = json.dumps(items) if array else "\n".join(map(json.dumps, items))
    return Source("q.json", lines.encode())


def test_cases_without_a_possible_answer_are_known() -> None:
    questions = file(question("simple_0"), question("simple_1"), question("irrelevance_0"))
    loaded = load_suite(questions, file({"id": "simple_0", "ground_truth": [{"f": {}}]}))
    assert [case.id for case in loaded.suite.cases] == ["simple_0", "simple_1", "irrelevance_0"]
    assert loaded.unanswered == {"simple_1"}
    assert load_suite(questions, None).unanswered == {"simple_0", "simple_1"}


def test_a_file_may_be_one_list() -> None:
    answers = file({"id": "simple_0", "ground_truth": [{"f": {}}]}, array=True)
    loaded = load_suite(file(question("simple_0"), array=True), answers)
    assert loaded.unanswered == frozenset()


@pytest.mark.parametrize(
    ("text", "reason"), [("[1", "This is not JSON"), ("[" * 100_000, "This is nested more than")]
)
def test_a_broken_list_is_named(text: str, reason: str) -> None:
    with pytest.raises(ImportProblem, match=rf"q.json, line 1: {reason}"):
        load_suite(Source("q.json", text.encode()), None)


def test_a_file_of_more_cases_than_a_suite_holds_is_several(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for module in (bfcl, recorded):
        monkeypatch.setattr(module, "CASES_MAX", 2)
    items = [question(f"irrelevance_{index}") for index in range(5)]
    loaded = load_suite(file(*items), None)
    assert [len(suite.cases) for suite in loaded.suites] == [2, 2, 1]
    with pytest.raises(ImportProblem, match="A suite has at most 2 cases"):
        _ = loaded.suite
    with pytest.raises(ImportProblem, match=r"q\.json, line 6: The id 'irrelevance_0' stands"):
        load_suite(file(*items, items[0]), None)
    with pytest.raises(ImportProblem, match=r"q\.json, line 6"):
        load_suite(file(*items, {**items[0], "id": "irrelevance_9", "function": [5]}), None)
