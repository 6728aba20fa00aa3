"""Our own format: nothing is lost, the bytes stay the same, and a bad file names its line."""

from __future__ import annotations

import gc
import json
from typing import Any

import pytest
from hypothesis import given, settings

from engine.tools.io import ImportProblem, Source, export_suite, import_suite, studio
from engine.tools.io.studio import dumps
from engine.tools.suites import Suite
from tests.engine.tools.any_suite import SUITES

SMALL: dict[str, Any] = {
    "format": "studio.suite/1",
    "name": "Weather",
    "tools": [{"name": "get_weather"}, {"name": "get_tide"}],
    "cases": [
        {"id": "a", "prompt": "Weather in Oslo?", "expect": {"kind": "any"}},
        {"id": "b", "prompt": "Tell me a joke.", "expect": {"kind": "none"}},
    ],
}


def source(data: Any, **how: Any) -> Source:
    text = data if isinstance(data, str) else json.dumps(data, indent=1, **how)
    return Source("suite.json", text.encode())


def problem(data: Any, **how: Any) -> ImportProblem:
    with pytest.raises(ImportProblem) as caught:
        import_suite([source(data, **how)])
    return caught.value


@settings(max_examples=30, deadline=None)
@given(SUITES)
def test_every_suite_survives_and_its_bytes_are_stable(data: dict[str, Any]) -> None:
    suite = Suite.model_validate(data)
    text = dumps(suite)
    again = import_suite([source(text)])
    assert again.format == "studio"
    assert again.suite.model_dump() == suite.model_dump()
    assert dumps(again.suite) == text


def test_a_large_suite_is_written_without_space(monkeypatch: pytest.MonkeyPatch) -> None:
    suite = Suite.model_validate(SMALL)
    monkeypatch.setattr(studio, "INDENTED_MAX", 10)
    text = dumps(suite)
    assert text.count("\n") == 1
    assert import_suite([source(text)]).suite == suite


def test_the_collector_of_garbage_is_back_after_an_import() -> None:
    problem("{")
    assert gc.isenabled()


def test_what_is_the_default_is_not_written() -> None:
    suite = Suite.model_validate(SMALL)
    assert json.loads(export_suite(suite, "studio").files["suite.json"]) == SMALL


def test_a_byte_order_mark_and_windows_line_ends_are_read() -> None:
    text = "\ufeff" + json.dumps(SMALL, indent=1).replace("\n", "\r\n")
    assert import_suite([source(text)]).suite == Suite.model_validate(SMALL)


def test_a_name_given_at_import_is_the_suites() -> None:
    assert import_suite([source(SMALL)], name=" Mine ").suite.name == "Mine"


@pytest.mark.parametrize(
    ("change", "line", "reason"),
    [
        ({"cases": [*SMALL["cases"], SMALL["cases"][0]]}, 27, "cases: 'a' stands there twice"),
        ({"tools": [*SMALL["tools"], SMALL["tools"][0]]}, 11, "tools: 'get_weather' stands there"),
        ({"colour": "red"}, 28, "colour: This field is not known."),
        ({"tools": [{"name": "x", "parameters": 7}]}, 7, "tools.0.parameters: "),
        ({"cases": [{"id": "a", "prompt": "x", "expect": {"kind": "any", "n": 1}}]}, 18, "n: This"),
        ({"cases": [{"id": "a", "expect": {"kind": "any"}}]}, 13, "give either a prompt or"),
    ],
)
def test_what_is_refused_names_line_and_reason(
    change: dict[str, Any], line: int, reason: str
) -> None:
    found = problem(SMALL | change)
    assert (found.line, found.file) == (line, "suite.json")
    assert reason.lower() in found.reason.lower()


@pytest.mark.parametrize(
    ("text", "line", "reason"),
    [
        ("", None, "The file is empty."),
        (" \r\n ", None, "The file is empty."),
        ('{"format": "studio.suite/1",\n "name": }', 2, "This is not JSON: Expecting value"),
        ('{"name": NaN}', 1, "NaN is no number of JSON"),
        ('{"name": 1e999}', 1, "1e999 is too large a number"),
        ('{"name": "\\ud800"}', 1, "Half a character"),
        ('{"format": "studio.suite/1", "x": ' + "[" * 90 + "]" * 90 + "}", 1, "more than 64 deep"),
        ("[" * 100_000, 1, "more than 64 deep"),
        ('"hello"', 1, "This is none of the known formats: Studio (JSON), "),
    ],
)
def test_bad_text_names_its_line(text: str, line: int | None, reason: str) -> None:
    found = problem(text)
    assert found.line == line
    assert reason in found.reason


def test_bytes_that_are_not_utf8_name_their_line() -> None:
    with pytest.raises(ImportProblem, match=r"s, line 2: This is not UTF-8 text \(byte 3\)\."):
        import_suite([Source("s", b"{\n \xff}")])


def test_ten_megabytes_in_one_text_are_refused_and_more_is_not_read() -> None:
    long = SMALL | {"description": "x" * 10_000_000}
    assert "200,000 characters" in problem(long).reason
    with pytest.raises(ImportProblem, match="larger than 40 MB"):
        import_suite([Source("s", b" " * (40 * 1024 * 1024 + 1))])


def test_a_format_that_does_not_exist_and_no_file_at_all() -> None:
    with pytest.raises(ImportProblem, match="There is no format 'xml'; known are studio"):
        import_suite([source(SMALL)], form="xml")
    with pytest.raises(ImportProblem, match="Choose a file"):
        import_suite([])
    with pytest.raises(ImportProblem, match="one file"):
        import_suite([source(SMALL), source(SMALL)])


def test_a_suite_that_could_not_be_saved_names_the_line_of_its_fault() -> None:
    bad = {"type": "object", "properties": {"a": {"type": "strange"}}}
    expect = {"kind": "calls", "alternatives": [[{"name": "get_whether"}]]}
    case = {"id": "a", "prompt": "x", "expect": expect}
    for change, line, reason in (
        ({"tools": [{"name": "x", "parameters": bad}]}, 7, "tools.0.parameters: "),
        ({"cases": [case]}, 21, "'get_whether' is expected, but the case does not offer it."),
    ):
        with pytest.raises(ImportProblem) as caught:
            import_suite([source(SMALL | change)], check=True)
        assert (caught.value.line, caught.value.file) == (line, "suite.json")
        assert reason in caught.value.reason
