"""What is refused when a suite is saved, each at its place."""

from __future__ import annotations

from typing import Any

import pytest

from engine.tools.schemas import problems_of
from engine.tools.suites import Suite

TOOL = {"name": "search", "parameters": {"type": "object", "properties": {"q": {}}}}
MOCK = {"tool": "search", "responses": [{"result": 1}]}


def calls(*, name: str = "search", **arguments: Any) -> dict[str, Any]:
    return {"kind": "calls", "alternatives": [[{"name": name, "arguments": arguments}]]}


def suite(expect: dict[str, Any] | None = None, **fields: Any) -> Suite:
    case = {"id": "a", "prompt": "Find it", "expect": expect or calls(q={"values": ["x"]})}
    case |= fields.pop("case", {})
    return Suite.model_validate({"name": "S", "tools": [TOOL], "cases": [case], **fields})


def test_a_sound_suite_has_no_problem() -> None:
    assert problems_of(suite()) == {}
    assert problems_of(suite({"kind": "none"})) == {}


ARGUMENT = "cases.0.expect.alternatives.0.0"
TABLE: list[tuple[Suite, str, str]] = [
    (suite(tools=[{**TOOL, "parameters": {"type": "dict"}}]), "tools.0.parameters", '"object"'),
    (
        suite(case={"tools": [{**TOOL, "parameters": {"$ref": "#"}}]}),
        "cases.0.tools.0.parameters",
        "without end",
    ),
    (suite({"kind": "none"}, tools=[]), "cases.0", "offers no tool"),
    (suite(calls(name="find")), f"{ARGUMENT}.name", "'find' is expected"),
    (suite(calls(q={})), f"{ARGUMENT}.arguments.q.values", "Give a value"),
    (
        suite(calls(q={"match": {"kind": "regex", "pattern": "(?<=a)b"}})),
        f"{ARGUMENT}.arguments.q.match.pattern",
        "is no regular expression here",
    ),
    (
        suite(calls(q={"values": ["x"], "match": {"kind": "semantic"}})),
        f"{ARGUMENT}.arguments.q.match",
        "embedding model, or else a judge",
    ),
    (suite(match={"kind": "semantic"}), "match", "embedding model"),
    (suite(case={"match": {"kind": "semantic"}}), "cases.0.match", "embedding model"),
    (
        suite(case={"chain": {"mocks": [{**MOCK, "tool": "find"}]}}),
        "cases.0.chain.mocks.0.tool",
        "There is no tool 'find'",
    ),
    (suite(case={"chain": {"mocks": [MOCK, MOCK]}}), "cases.0.chain.mocks.1.tool", "two mocks"),
    (
        suite(case={"chain": {"turns": [{"prompt": "b", "expect": calls(name="find")}]}}),
        "cases.0.chain.turns.0.expect.alternatives.0.0.name",
        "'find' is expected",
    ),
    (
        suite(
            case={
                "chain": {
                    "sources": [
                        {"tool": "search", "argument": "q", "from_tool": "find", "field": "id"}
                    ]
                }
            }
        ),
        "cases.0.chain.sources.0.from_tool",
        "There is no tool 'find'",
    ),
]


@pytest.mark.parametrize(("given", "path", "sentence"), TABLE)
def test_a_fault_is_told_at_its_place(given: Suite, path: str, sentence: str) -> None:
    found = problems_of(given)
    assert list(found) == [path]
    assert sentence in found[path]


def test_meaning_is_fine_with_somebody_to_ask() -> None:
    assert problems_of(suite(match={"kind": "semantic"}), similarity=True) == {}


@pytest.mark.parametrize(
    "argument",
    [
        {"ignore": True},
        {"optional": True},
        {"match": {"kind": "regex", "pattern": "a+"}},
        {"match": {"kind": "one_of", "values": [1]}},
    ],
)
def test_an_argument_needs_no_value_where_something_else_decides(argument: dict[str, Any]) -> None:
    assert problems_of(suite(calls(q=argument))) == {}
