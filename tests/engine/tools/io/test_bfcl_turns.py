"""BFCL's cases of several turns become chains; their calls are read as text and never run."""

from __future__ import annotations

import json
from typing import Any

import pytest

from engine.tools.io import Source, import_suite
from engine.tools.io.call_text import CallText, NotACall, parse_call
from engine.tools.suites import ExpectCalls
from tests.engine.tools.io.test_bfcl import problem, read

QUESTION: dict[str, Any] = {
    "id": "multi_turn_base_0",
    "question": [
        [{"role": "user", "content": "Make a folder named temp and go there."}],
        [{"role": "user", "content": "What is in it?"}],
        [],
    ],
    "initial_config": {"GorillaFileSystem": {"root": {"alex": {"type": "directory"}}}},
    "path": ["GorillaFileSystem.mkdir", "GorillaFileSystem.cd", "GorillaFileSystem.ls"],
    "involved_classes": ["GorillaFileSystem"],
    "excluded_function": ["rm"],
}
TRUTH = {
    "id": "multi_turn_base_0",
    "ground_truth": [["mkdir(dir_name='temp')", "cd('temp')"], ["ls(a=True)"], []],
}
DOCUMENTS = [
    {"name": name, "description": f"{name} it.", "parameters": {
        "type": "dict", "properties": {part: {"type": kind}}, "required": [part]}}
    for name, part, kind in [("mkdir", "dir_name", "string"), ("cd", "folder", "string"),
                             ("ls", "a", "boolean"), ("rm", "file_name", "string")]
]  # fmt: skip


def called(expect: Any) -> list[tuple[str, dict[str, Any]]]:
    assert isinstance(expect, ExpectCalls)
    return [
        (call.name, {name: arg.values[0] for name, arg in call.arguments.items()})
        for call in expect.alternatives[0]
    ]


def test_a_question_of_turns_becomes_a_chain() -> None:
    found = read([QUESTION], [TRUTH])
    [case] = found.suite.cases
    assert case.chain is not None
    assert case.conversation == QUESTION["question"][0]
    assert called(case.expect) == [("mkdir", {"dir_name": "temp"}), ("cd", {"value_1": "temp"})]
    second, third = case.chain.turns
    assert (second.prompt, called(second.expect)) == ("What is in it?", [("ls", {"a": True})])
    assert third.prompt.startswith("I have updated some more functions")
    assert third.expect is not None
    assert third.expect.kind == "none"
    assert case.chain.state == QUESTION["initial_config"]
    assert [tool.name for tool in case.tools or ()] == ["mkdir", "cd", "ls"]
    assert any("names and arguments only" in note for note in found.notes)


def test_the_documents_of_the_involved_classes_are_taken() -> None:
    def source(name: str, items: list[Any]) -> Source:
        return Source(name, "\n".join(json.dumps(item) for item in items).encode())

    other = [{"name": "tweet", "description": "", "parameters": {"type": "dict"}}]
    sources = [
        source("gorilla_file_system.json", DOCUMENTS),
        source("posting_api.json", other),
        source("questions.json", [QUESTION]),
        source("answers.json", [TRUTH]),
    ]
    found = import_suite(sources)
    [case] = found.suite.cases
    assert [tool.name for tool in case.tools or ()] == ["mkdir", "cd", "ls"]
    assert called(case.expect)[1] == ("cd", {"folder": "temp"})
    assert (case.tools or ())[2].parameters["properties"] == {"a": {"type": "boolean"}}
    assert len(found.notes) == 1


@pytest.mark.parametrize(
    ("truth", "sentence"),
    [
        ([["ls()"]], "one list of calls for each of the 3 turns"),
        ([[1], [], []], "A turn of ground_truth is a list of calls"),
        ([["ls("], [], []], "'ls(' is not a call."),
        ([["x = 1"], [], []], "is not a call"),
        ([["ls"], [], []], "'ls' is not a call."),
        ([["__import__('os').system('x')"], [], []], "does not call a function by its name"),
        ([["ls(*[1])"], [], []], "unpacks its arguments"),
        ([["ls(**{'a': 1})"], [], []], "unpacks its arguments"),
        ([["f(" * 5_000 + ")" * 5_000], [], []], "is not a call"),
        ([["f('\\d' 1)"], [], []], "is not a call"),
        ([["f('" + "x" * 30_000 + "')"], [], []], "more than 20,000 characters"),
    ],
)
def test_a_truth_that_is_no_call_names_its_line(truth: list[Any], sentence: str) -> None:
    said = problem([QUESTION], [TRUTH | {"ground_truth": truth}])
    assert said.startswith("1.json, line 1: ")
    assert sentence in said


def test_a_case_of_turns_needs_its_answer() -> None:
    assert "0.json, line 1: multi_turn_base_0 has no possible answer" in problem([QUESTION])


@pytest.mark.parametrize(
    ("text", "call"),
    [
        ("f()", CallText("f", [], {})),
        ("a.b.f(1, x=[1, (2, 'y')])", CallText("a.b.f", [1], {"x": [1, [2, "y"]]})),
        ("f(x=-1.5, y=None, z={'k': True})", CallText("f", [], {"x": -1.5, "y": None,
                                                               "z": {"k": True}})),
        ("f(x=open('/etc/passwd').read())",
         CallText("f", [], {"x": "open('/etc/passwd').read()"})),
        ("f(x=b'1', y={1, 2}, z=1e999)",
         CallText("f", [], {"x": "b'1'", "y": "{1, 2}", "z": "1e309"})),
        ("f(x=[y for y in range(10**9)])",
         CallText("f", [], {"x": "[y for y in range(10 ** 9)]"})),
    ],
)  # fmt: skip
def test_literals_are_values_and_code_stays_text(text: str, call: CallText) -> None:
    assert parse_call(text) == call


def test_a_number_too_long_for_python_is_no_call() -> None:
    with pytest.raises(NotACall):
        parse_call(f"f(x={'9' * 5_000})")


def test_code_that_is_nested_deep_is_no_call() -> None:
    with pytest.raises(NotACall, match="nested too deep"):
        parse_call(f"f(x={'a+' * 900}a)")


def test_a_name_may_have_many_parts() -> None:
    assert parse_call(f"a{'.b' * 900}()").name == f"a{'.b' * 900}"


def test_a_function_that_comes_later_is_due_when_it_is_asked_for() -> None:
    question = QUESTION | {"id": "multi_turn_miss_func_0", "missed_function": {"2": ["ls"]}}
    truth = [["mkdir(dir_name='temp')"], [], ["ls(a=True)"]]
    found = read([question], [{"id": "multi_turn_miss_func_0", "ground_truth": truth}])
    chain = found.suite.cases[0].chain
    assert chain is not None
    [turn] = chain.turns
    assert (turn.prompt, called(turn.expect)) == ("What is in it?", [("ls", {"a": True})])
