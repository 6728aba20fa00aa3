from __future__ import annotations

from typing import Any

from engine.tools.answers import Answer
from engine.tools.chains import Conversation, due_in_turn
from tests.engine.tools.builders import DOTTED, WEATHER, answered, called, case, suite, voice

RAIN = {"tool": "get_weather", "responses": [{"result": {"rain": True}}]}


def conversation(chain: Any = None, tools: Any = (WEATHER, DOTTED), **more: Any) -> Conversation:
    made = suite(case(chain=chain), tools=tools)
    return Conversation(made.cases[0], voice(made, **more))


def test_a_case_without_a_chain_is_one_question() -> None:
    talk = conversation()
    talk.take(answered(called("get_weather", city="Oslo")))

    assert talk.done
    assert talk.told.hops == ()
    assert talk.told.state is None


def test_every_call_of_an_answer_is_answered_by_its_mock() -> None:
    talk = conversation({"mocks": [RAIN]})
    talk.take(answered(called("get_weather", "x1", city="Oslo"), called("math.hypot"), text="Hm."))

    assert not talk.done
    assert talk.messages == [
        {"role": "user", "content": "Rain in Oslo?"},
        {
            "role": "assistant",
            "content": "Hm.",
            "tool_calls": [
                {
                    "id": "x1",
                    "type": "function",
                    "function": {"name": "get_weather", "arguments": '{"city": "Oslo"}'},
                },
                {
                    "id": "call_1_1",
                    "type": "function",
                    "function": {"name": "math_hypot", "arguments": "{}"},
                },
            ],
        },
        {"role": "tool", "tool_call_id": "x1", "content": '{"rain": true}'},
        {"role": "tool", "tool_call_id": "call_1_1", "content": '{"ok": true}'},
    ]
    talk.take(Answer((), "It rains."))
    assert talk.done
    assert talk.messages[-1] == {"role": "assistant", "content": "It rains."}
    assert [(hop.turn, hop.round, hop.call.name) for hop in talk.told.hops] == [
        (0, 0, "get_weather"),
        (0, 0, "math.hypot"),
    ]


def test_ids_that_a_provider_repeats_become_unique() -> None:
    talk = conversation({"mocks": [RAIN]})
    talk.take(answered(called("get_weather", "x"), called("get_weather", "x")))
    talk.take(answered(called("get_weather", "x")))

    ids = [m["tool_call_id"] for m in talk.messages if m["role"] == "tool"]
    assert ids == ["x", "call_1_1", "call_2_0"]


def test_the_next_turn_follows_when_the_model_has_stopped_calling() -> None:
    talk = conversation({"turns": [{"prompt": "And Rome?"}, {"prompt": "Thanks."}]})

    turns = []
    for answer in (answered(called("get_weather")), Answer(()), Answer(()), Answer(())):
        turns.append((talk.turn, talk.begins_turn))
        talk.take(answer)

    assert turns == [(0, True), (0, False), (1, True), (2, True)]
    assert talk.done
    assert [m["content"] for m in talk.messages if m["role"] == "user"] == [
        "Rain in Oslo?",
        "And Rome?",
        "Thanks.",
    ]


def test_a_model_that_calls_in_every_round_stalls() -> None:
    talk = conversation({"max_rounds": 2, "turns": [{"prompt": "And Rome?"}]})
    talk.take(answered(called("get_weather")))
    assert not talk.done
    talk.take(answered(called("get_weather")))

    assert (talk.done, talk.stalled, talk.turn) == (True, True, 0)


def test_rounds_are_counted_anew_in_each_turn() -> None:
    talk = conversation({"max_rounds": 2, "turns": [{"prompt": "And Rome?"}]})
    for answer in (answered(called("get_weather")), Answer(()), answered(called("get_weather"))):
        talk.take(answer)
    assert not talk.done


def test_a_call_in_plain_text_ends_a_turn_unless_such_calls_count() -> None:
    written = Answer((called("get_weather", city="Oslo"),), "<tool_call>…", recovered=True)
    strict, lenient = conversation({}), conversation({}, count_recovered=True)
    strict.take(written)
    lenient.take(written)

    assert (strict.done, strict.told.hops) == (True, ())
    assert strict.messages[-1] == {"role": "assistant", "content": "<tool_call>…"}
    assert not lenient.done
    assert lenient.messages[1]["content"] is None
    assert len(lenient.told.hops) == 1


def test_what_a_turn_expects_is_its_own() -> None:
    turns = [{"prompt": "Now?", "expect": {"kind": "none"}}, {"prompt": "Well."}]
    asks, state = case(chain={"turns": turns}), case("b", {"kind": "state", "state": {}}, chain={})
    made = suite(asks, state)

    found = [due_in_turn(made.cases[0], turn) for turn in range(3)]
    assert [due.kind if due else None for due in found] == ["any", "none", None]
    assert due_in_turn(made.cases[1], 0) is None
