"""`studio tools score`: files in, verdicts out, in any folder."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.engine.tools.builders import calls, due, suite_of
from tests.webapp.commands.conftest import Studio

PARAMETERS = {
    "type": "dict",
    "properties": {"city": {"type": "string"}, "days": {"type": "integer"}},
    "required": ["city"],
}
FUNCTIONS = [{"name": "weather.get", "description": "Weather", "parameters": PARAMETERS}]
TRUTHS = {
    "live_simple_3-2-1": [{"weather.get": {"city": ["New York, NY"], "days": [3, ""]}}],
    "parallel_0": [{"weather.get": {"city": ["Oslo"]}}, {"weather.get": {"city": ["Rome"]}}],
}


def lines(path: Path, *items: Any) -> str:
    path.write_text("".join(f"{json.dumps(item)}\n" for item in items))
    return path.name


def weather(**arguments: Any) -> dict[str, Any]:
    return {"name": "weather.get", "arguments": arguments}


@pytest.fixture
def files(folder: Path) -> tuple[str, ...]:
    """Questions and possible answers in the working directory, as flags."""
    ask = [[{"role": "user", "content": "Weather?"}]]
    questions = [
        {"id": name, "question": ask, "function": FUNCTIONS} for name in (*TRUTHS, "irrelevance_0")
    ]
    answers = [{"id": name, "ground_truth": truth} for name, truth in TRUTHS.items()]
    return (
        "--suite",
        lines(folder / "questions.json", *questions),
        "--answers",
        lines(folder / "answers.json", *answers),
    )


RECORDED = [
    {"id": "live_simple_3-2-1", "calls": [weather(city="new-york ny")]},
    {"id": "parallel_0", "calls": [weather(city="Rome"), weather(city="Oslo")]},
    {"id": "live_simple_3-2-1", "calls": [weather(city="New York, NY", days="3")]},
    {"id": "irrelevance_0", "calls": None, "text": "I cannot help."},
    {"id": "parallel_0", "calls": []},
]


def told(output: str) -> list[tuple[str, bool, str | None]]:
    found = [json.loads(line) for line in output.splitlines()]
    assert all(item.keys() == {"id", "pass", "error_type", "scores"} for item in found)
    return [(item["id"], item["pass"], item["error_type"]) for item in found]


def test_each_line_of_calls_gets_a_line_of_json(
    studio: Studio, folder: Path, files: tuple[str, ...]
) -> None:
    recorded = lines(folder / "calls.jsonl", *RECORDED)
    words = ("tools", "score", *files, "--calls", recorded, "--json", "-")
    result = studio(*words, "--mode", "bfcl")
    assert result.exit_code == 0
    assert result.stderr == ""
    assert told(result.stdout) == [
        ("live_simple_3-2-1", True, None),
        ("parallel_0", True, None),
        ("live_simple_3-2-1", False, "wrong_type"),
        ("irrelevance_0", True, None),
        ("parallel_0", False, "wrong_count"),
    ]
    assert told(studio(*words, "--mode", "studio").stdout) == [
        ("live_simple_3-2-1", False, "wrong_value"),
        ("parallel_0", True, None),
        ("live_simple_3-2-1", False, "wrong_type"),
        ("irrelevance_0", False, "malformed_arguments"),
        ("parallel_0", False, "no_call"),
    ]
    assert [passed for _, passed, _ in told(studio(*words, "--mode", "schema").stdout)] == [
        True, True, False, False, False,
    ]  # fmt: skip
    assert sorted(path.name for path in folder.iterdir()) == [
        "answers.json", "calls.jsonl", "questions.json",
    ]  # fmt: skip


def test_without_json_a_summary_is_told(
    studio: Studio, folder: Path, files: tuple[str, ...]
) -> None:
    recorded = lines(folder / "calls.jsonl", *RECORDED)
    result = studio("tools", "score", *files, "--calls", recorded, "--mode", "bfcl")
    assert result.stdout.splitlines() == [
        "3 of 5 passed (60.0%, 95 % interval 23.1% to 88.2%).",
        "        1  wrong_type",
        "        1  wrong_count",
    ]
    empty = lines(folder / "empty.jsonl")
    result = studio("tools", "score", *files, "--calls", empty, "--json", "out.jsonl")
    assert (result.exit_code, result.stdout) == (0, "No calls to score.\n")
    assert (folder / "out.jsonl").read_text() == ""


def test_a_suite_of_ours_is_read_and_calls_may_come_from_standard_input(
    studio: Studio, folder: Path
) -> None:
    _, suite = suite_of(calls(due("get_weather", city="Oslo")))
    (folder / "suite.json").write_text(suite.model_dump_json())
    given = json.dumps(
        {"id": "a", "calls": [{"name": "get_weather", "arguments": {"city": "Oslo"}}]}
    )
    words = ("tools", "score", "--suite", "suite.json", "--calls", "-", "--json", "-")
    result = studio(*words, input=given)
    assert told(result.stdout) == [("a", True, None)]
    assert json.loads(result.stdout)["scores"] == {
        "overall": 1, "selection": 1, "arguments": 1, "schema": 1,
    }  # fmt: skip


def test_the_schemas_alone_need_no_answers(
    studio: Studio, folder: Path, files: tuple[str, ...]
) -> None:
    recorded = lines(folder / "calls.jsonl", RECORDED[0])
    words = ("tools", "score", *files[:2], "--calls", recorded, "--json", "-", "--mode")
    assert told(studio(*words, "schema").stdout) == [("live_simple_3-2-1", True, None)]
    result = studio(*words, "bfcl")
    assert (result.exit_code, result.stdout) == (2, "")
    assert "calls.jsonl, line 1: live_simple_3-2-1 has no possible answer" in result.stderr


def test_bad_files_are_refused_with_line_and_reason(
    studio: Studio, folder: Path, files: tuple[str, ...]
) -> None:
    recorded = lines(folder / "calls.jsonl", RECORDED[0], {"id": "nobody", "calls": []})
    result = studio("tools", "score", *files, "--calls", recorded, "--json", "-")
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr == "Error: calls.jsonl, line 2: The suite has no case 'nobody'.\n"
    (folder / "broken.json").write_text('{"id": "a", "question": []}\n{"id": \n')
    result = studio("tools", "score", "--suite", "broken.json", "--calls", recorded)
    assert result.exit_code == 2
    assert "broken.json, line 2" in result.stderr
    result = studio("tools", "score", "--suite", "none.json", "--calls", recorded)
    assert result.exit_code == 2
    result = studio("tools", "score", *files, "--calls", recorded, "--json", "no/folder.json")
    assert result.exit_code == 2


@pytest.mark.parametrize("mode", ["bfcl", "studio", "schema"])
def test_schemas_that_are_none_do_not_stop_the_rest(
    studio: Studio, folder: Path, files: tuple[str, ...], mode: str
) -> None:
    asked = json.loads((folder / "questions.json").read_text().splitlines()[0])
    strange = {"type": "dict", "properties": {"city": {"type": 5}}, "required": [{}, "city"]}
    for part in (strange, {**strange, "anyOf": 1.5, "required": None}, {"allOf": {"city": 1}}):
        asked["function"] = [{**FUNCTIONS[0], "parameters": part}]
        lines(folder / "questions.json", asked)
        recorded = lines(folder / "calls.jsonl", RECORDED[0])
        result = studio("tools", "score", *files, "--calls", recorded, "--mode", mode,
                        "--json", "-")  # fmt: skip
        assert (result.exit_code, len(result.stdout.splitlines())) == (0, 1)


def test_what_recorded_calls_cannot_say_of_a_conversation_is_told(
    studio: Studio, folder: Path
) -> None:
    _, suite = suite_of(calls(due("ping")), case={"chain": {"turns": [{"prompt": "And?"}]}})
    (folder / "suite.json").write_text(suite.model_dump_json())
    recorded = lines(folder / "calls.jsonl", {"id": "a", "calls": [{"name": "ping"}]})
    words = ("tools", "score", "--suite", "suite.json", "--calls", recorded, "--json", "-")
    result = studio(*words)
    assert told(result.stdout) == [("a", True, None)]
    assert result.stderr.startswith("Note: 1 of these lines")


def test_meaning_cannot_be_scored_without_a_model(studio: Studio, folder: Path) -> None:
    like = {"values": ["Oslo"], "match": {"kind": "semantic"}}
    _, suite = suite_of(calls(due("get_weather", city=like)))
    (folder / "suite.json").write_text(suite.model_dump_json())
    recorded = lines(
        folder / "calls.jsonl", {"id": "a", "calls": [{"get_weather": {"city": "Rome"}}]}
    )
    result = studio("tools", "score", "--suite", "suite.json", "--calls", recorded)
    assert result.exit_code == 2
    assert "line 1: A semantic matcher needs an embedding model" in result.stderr
