"""OpenAI's tools: lists and request bodies become suites, and go out as they came."""

from __future__ import annotations

import json
from typing import Any

import pytest

from engine.tools.io import Imported, ImportProblem, Source, export_suite, import_suite
from engine.tools.suites import Suite

SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
WEATHER = {"name": "get_weather", "description": "Weather of a city.", "parameters": SCHEMA}
WRAPPED = {"type": "function", "function": WEATHER}


def read(data: Any) -> Imported:
    return import_suite([Source("tools.json", json.dumps(data, indent=1).encode())])


@pytest.mark.parametrize("tool", [WRAPPED, WEATHER, {"type": "function", **WEATHER}])
def test_a_list_of_tools_in_each_of_openais_shapes(tool: dict[str, Any]) -> None:
    found = read([tool])
    assert (found.format, found.suite.cases, found.notes) == ("openai", (), ())
    assert [tool.as_openai() for tool in found.suite.tools] == [WRAPPED]


def test_a_request_body_brings_system_prompt_and_a_case() -> None:
    talk = [{"role": "user", "content": "Weather in Oslo?"}]
    system = {"role": "system", "content": "Be brief."}
    found = read({"model": "m", "tools": [WRAPPED], "messages": [system, *talk]})
    [case] = found.suite.cases
    assert (found.suite.system_prompt, case.conversation) == ("Be brief.", talk)
    assert case.expect.kind == "any"
    assert "say what is expected" in found.notes[0]


def test_tools_go_out_as_they_came() -> None:
    strict = {"type": "function", "function": WEATHER | {"name": "b", "strict": True}}
    suite = read([WRAPPED, strict]).suite
    assert json.loads(export_suite(suite, "openai").files["tools.json"]) == [WRAPPED, strict]


def test_tools_that_only_cases_have_go_out_too() -> None:
    other = {"name": "get_weather", "parameters": {"type": "object"}}
    offers = {"a": [WEATHER], "b": [WEATHER, {"name": "ping"}], "c": [other]}
    cases = [
        {"id": i, "prompt": "?", "expect": {"kind": "any"}, "tools": t} for i, t in offers.items()
    ]
    made = export_suite(Suite.model_validate({"name": "S", "cases": cases}), "openai")
    names = [tool["function"]["name"] for tool in json.loads(made.files["tools.json"])]
    assert names == ["get_weather", "ping"]
    [left_out] = made.left_out
    assert (left_out.case, "'get_weather' is another one" in left_out.reason) == ("c", True)
    assert export_suite(Suite(name="empty"), "openai").files == {}


@pytest.mark.parametrize(
    ("data", "line", "reason"),
    [
        ([WRAPPED, WRAPPED], 20, "'get_weather' stands there twice"),
        ({"tools": [{"name": "x", "parameters": [1]}]}, 3, "parameters: "),
        ({"tools": [WEATHER], "messages": "hello"}, 19, "messages is a list"),
    ],
)
def test_what_is_refused_names_line_and_reason(data: Any, line: int, reason: str) -> None:
    with pytest.raises(ImportProblem) as caught:
        read(data)
    assert caught.value.line == line
    assert reason in caught.value.reason
