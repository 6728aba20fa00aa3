"""Suites: what the format accepts, and what it refuses in a sentence."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from engine.tools.suites import Case, Suite, Tool

WEATHER = {"name": "get_weather", "description": "The weather", "parameters": {"type": "object"}}


def case(**fields: Any) -> dict[str, Any]:
    return {"id": "a", "prompt": "Weather in Oslo?", "expect": {"kind": "none"}, **fields}


def test_a_tool_may_come_wrapped_as_openai_sends_it() -> None:
    wrapped = Tool.model_validate({"type": "function", "function": WEATHER})
    assert wrapped == Tool.model_validate(WEATHER)
    assert wrapped.as_openai() == {"type": "function", "function": WEATHER}


def test_a_suite_survives_the_round_trip_through_json() -> None:
    suite = Suite.model_validate(
        {
            "name": "Weather",
            "tools": [WEATHER],
            "cases": [
                case(
                    expect={
                        "kind": "calls",
                        "alternatives": [
                            [
                                {
                                    "name": "get_weather",
                                    "arguments": {
                                        "city": {"values": ["Oslo"], "match": {"kind": "fuzzy"}}
                                    },
                                }
                            ]
                        ],
                    }
                )
            ],
        }
    )
    assert Suite.model_validate_json(suite.model_dump_json()) == suite


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"prompt": ""}, "give either a prompt or messages"),
        ({"messages": [{"role": "user", "content": "x"}]}, "give either a prompt or messages"),
        ({"expect": {"kind": "state", "state": {}}}, "needs a chain with mock tools"),
    ],
)
def test_a_case_that_cannot_be_asked_is_refused(fields: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ValidationError, match=sentence):
        Case.model_validate(case(**fields))


def test_two_tools_or_two_cases_of_one_name_are_refused() -> None:
    with pytest.raises(ValidationError, match="tools: 'get_weather' stands there twice"):
        Suite.model_validate({"name": "s", "tools": [WEATHER, WEATHER]})
    with pytest.raises(ValidationError, match="cases: 'a' stands there twice"):
        Suite.model_validate({"name": "s", "cases": [case(), case()]})


def test_a_case_brings_its_own_tools_or_takes_the_suites() -> None:
    own = {"name": "other"}
    suite = Suite.model_validate(
        {"name": "s", "tools": [WEATHER], "cases": [case(), case(id="b", tools=[own])]}
    )
    assert [tool.name for tool in suite.tools_of(suite.cases[0])] == ["get_weather"]
    assert [tool.name for tool in suite.tools_of(suite.cases[1])] == ["other"]
