"""Mock tools: chosen by argument, state and sequence; templates; and nothing that explodes."""

from __future__ import annotations

import json
from typing import Any

import pytest

from engine.tools.answers import Call
from engine.tools.mocks import LARGEST, Mocks
from engine.tools.suites import Chain
from tests.engine.tools.builders import called

OFFERED = frozenset({"get_weather", "book_hotel", "unmocked"})


def mocks(*responses: dict[str, Any], state: dict[str, Any] | None = None) -> Mocks:
    """One mock, of get_weather."""
    mock = {"tool": "get_weather", "responses": responses}
    chain = {"mocks": [mock] if responses else [], "state": state or {}}
    return Mocks(Chain.model_validate(chain), OFFERED)


def ask(tools: Mocks, **arguments: Any) -> Any:
    answer = tools.answer(called("get_weather", **arguments))
    return answer.result if answer.error is None else answer.error


def test_the_first_response_whose_arguments_fit_answers() -> None:
    tools = mocks(
        {"when": {"city": "Oslo"}, "result": {"t": 3}},
        {"when": {"days": 2}, "result": "two"},
        {"result": "other"},
    )
    assert ask(tools, city="Oslo", days=2) == {"t": 3}
    assert ask(tools, city="Rome", days=2.0) == "two"
    assert ask(tools, city="oslo", days=True) == "other"


def test_a_response_may_answer_one_call_of_a_sequence() -> None:
    tools = mocks({"on_call": 2, "error": "busy"}, {"result": "ok"})
    assert [ask(tools), ask(tools), ask(tools)] == ["ok", "busy", "ok"]


def test_state_is_set_read_and_matched() -> None:
    tools = mocks(
        {"when_state": {"seen.Oslo": 1}, "result": "again {{state.seen}}"},
        {
            "set_state": {"seen.{{args.city}}": 1, "last": "{{args}}"},
            "result": "{{state.last.city}}",
        },
    )
    assert ask(tools, city="Oslo") == "Oslo"
    assert tools.state == {"seen": {"Oslo": 1}, "last": {"city": "Oslo"}}
    assert ask(tools, city="Rome") == 'again {"Oslo": 1}'


def test_a_place_alone_becomes_the_value_itself() -> None:
    tools = mocks(
        {
            "result": {
                "n": "{{args.days}}",
                "text": "{{args.days}} days, {{args.none}}.",
                "no": "{{args.x}}",
            }
        }
    )
    assert ask(tools, days=[1, {"a": None}]) == {
        "n": [1, {"a": None}],
        "text": '[1, {"a": null}] days, .',
        "no": None,
    }


def test_what_a_model_writes_into_a_template_is_no_template() -> None:
    tools = mocks({"result": "{{args.city}}"}, state={"secret": "x"})
    assert ask(tools, city="{{state.secret}}") == "{{state.secret}}"


def test_two_conversations_share_no_state() -> None:
    chain = Chain.model_validate(
        {
            "mocks": [{"tool": "get_weather", "responses": [{"set_state": {"n.x": 1}}]}],
            "state": {"n": {}},
        }
    )
    first, second = Mocks(chain, OFFERED), Mocks(chain, OFFERED)
    ask(first)
    assert (first.state, second.state, chain.state) == ({"n": {"x": 1}}, {"n": {}}, {"n": {}})


@pytest.mark.parametrize(
    ("call", "content"),
    [
        (called("unmocked"), {"ok": True}),
        (called("invented"), {"error": "There is no tool named invented."}),
        (Call("get_weather", None, "{oops"), {"error": "The arguments are not a JSON object."}),
        (
            called("get_weather", city="Rome"),
            {"error": "The tool has no answer to these arguments."},
        ),
    ],
)
def test_a_call_without_an_answer_is_told_so(call: Call, content: Any) -> None:
    tools = mocks({"when": {"city": "Oslo"}, "result": 1})
    assert json.loads(tools.answer(call).content) == content


def test_texts_that_multiply_end_at_a_bound_and_leave_the_state_alone() -> None:
    double = {"set_state": {"x": "{{state.x}}{{state.x}}"}, "result": "{{state.x}}"}
    tools = mocks(double, state={"x": "ab"})

    answers = [ask(tools) for _ in range(40)]

    assert "The tool's answer is too large." in answers
    assert len(json.dumps(tools.state)) <= LARGEST


@pytest.mark.parametrize(
    "response",
    [
        {"result": "{{args.big}}" * 1_000},
        {"set_state": {"a." * 1_000 + "b": 1}},
        {"result": [[]]},
    ],
)
def test_hostile_templates_fail_as_a_tool(response: dict[str, Any]) -> None:
    for _ in range(50):
        response = response if "result" not in response else {"result": [response["result"]]}
    assert ask(mocks(response), big="x" * 1_000) == "The tool's answer is too large."
