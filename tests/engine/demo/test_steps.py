"""A request as steps: what goes out together, what waits, and what a tool's answer changes."""

from __future__ import annotations

import json
from typing import Any

import pytest

from engine.demo.chat import ChatRequest, Message, Tool
from engine.demo.process import DemoServer
from engine.demo.skill import Attempt, intended
from tests.engine.demo.client import ask

TEXT = {"type": "string"}


def tool(name: str, description: str, required: list[str], **parts: Any) -> Tool:
    schema = {"type": "object", "properties": parts, "required": required}
    return Tool(name, description, schema, {})


FIND = tool("find_booking", "Look up a booking by a guest's name.", ["guest"], guest=TEXT)
CANCEL = tool("cancel_booking", "Cancel a booking.", ["booking_id"], booking_id=TEXT)
HEAT = tool(
    "set_thermostat",
    "Heat a room.",
    ["room", "degrees"],
    room={"type": "integer"},
    degrees={"type": "number"},
)
TRAINS = tool(
    "find_trains",
    "Trains between stations.",
    ["origin", "destination", "date"],
    origin=TEXT,
    destination=TEXT,
    date={"type": "string", "format": "date"},
    max_changes={"type": "integer"},
)
TOOLS = (FIND, CANCEL, HEAT, TRAINS)


def asked(*messages: Message | str, **more: Any) -> ChatRequest:
    talk = tuple(Message("user", m) if isinstance(m, str) else m for m in messages)
    return ChatRequest("m", talk, tools=TOOLS, **more)


def called(*messages: Message | str, **more: Any) -> tuple[tuple[str, dict[str, Any]], ...]:
    return intended(asked(*messages, **more)).calls


CALLED = Message("assistant", "", '[{"id":"1"}]')


def told(data: Any) -> Message:
    return Message("tool", data if isinstance(data, str) else json.dumps(data))


def test_what_also_has_to_be_done_goes_out_together() -> None:
    prompt = "Set the thermostat of room 5 to 22 degrees. Also find the booking of Hana Sato."
    assert called(prompt) == (
        ("set_thermostat", {"room": 5, "degrees": 22}),
        ("find_booking", {"guest": "Hana Sato"}),
    )


def test_what_comes_then_waits_and_takes_its_values_from_the_answer() -> None:
    prompt = "Find the booking of Nora Lind. Then cancel that booking."
    assert called(prompt) == (("find_booking", {"guest": "Nora Lind"}),)
    answer = told({"bookings": [{"booking_id": "HL-80"}, {"booking_id": "HL-81"}]})
    assert called(prompt, CALLED, answer) == (("cancel_booking", {"booking_id": "HL-80"}),)
    assert called(prompt, CALLED, answer, CALLED, told("done")) == ()


def test_an_answer_of_an_earlier_turn_is_remembered() -> None:
    talk = ("Find the booking of Nora Lind.", CALLED, told({"booking_id": "HL-80"}))
    assert called(*talk, Message("assistant", "Found."), "Cancel that booking.") == (
        ("cancel_booking", {"booking_id": "HL-80"}),
    )


def test_a_tool_that_asks_to_try_again_is_tried_once_more() -> None:
    prompt = "Find the booking of Nora Lind."
    busy = told({"error": "The ledger is locked, try again."})
    assert called(prompt, CALLED, busy) == (("find_booking", {"guest": "Nora Lind"}),)
    assert called(prompt, CALLED, busy, CALLED, busy) == ()
    assert called(prompt, CALLED, told({"error": "There is none."})) == ()


@pytest.mark.parametrize(
    "prompt",
    [
        "I want to cancel my booking.",
        "Are there any trains from Ghent to Paris?",
        "Do not cancel booking HL-20, I was only asking.",
        "Tell me a story about a lighthouse.",
    ],
)
def test_what_lacks_a_number_or_a_date_or_is_not_wanted_is_not_called(prompt: str) -> None:
    assert intended(asked(prompt)) == Attempt(None, {})


def test_a_forced_call_is_made_whatever_is_missing() -> None:
    assert called("I want to cancel my booking.", tool_choice="required")[0][0] == "cancel_booking"


def test_a_tool_that_is_named_and_values_that_are_told_win() -> None:
    prompt = (
        'Call the tool find_trains, once. Take these values: origin is "A b", '
        'destination is "C", date is "2026-03-14".'
    )
    expected = {"origin": "A b", "destination": "C", "date": "2026-03-14"}
    assert called(prompt) == (("find_trains", expected),)


def test_optional_arguments_are_given_where_the_text_tells_them() -> None:
    prompt = "Find trains from Leipzig to Prague on 2026-05-02 with 1 change."
    assert called(prompt)[0][1]["max_changes"] == 1
    assert "max_changes" not in called("Find trains from Leipzig to Prague on 2026-05-02.")[0][1]


CITY = {"type": "object", "properties": {"city": TEXT}, "required": ["city"]}
WEATHER = {"name": "get_weather", "description": "The weather in a city."}
TWICE = "What is the weather in Oslo? And what is the weather in Bergen?"
SAID = [{"role": "user", "content": TWICE}]
FORMATS = {
    "/v1/chat/completions": {
        "messages": SAID,
        "tools": [{"type": "function", "function": WEATHER | {"parameters": CITY}}],
    },
    "/v1/messages": {
        "messages": SAID,
        "max_tokens": 200,
        "tools": [WEATHER | {"input_schema": CITY}],
    },
    "/v1beta/models/plain:generateContent": {
        "contents": [{"role": "user", "parts": [{"text": TWICE}]}],
        "tools": [{"functionDeclarations": [WEATHER | {"parameters": CITY}]}],
    },
}


@pytest.mark.parametrize("path", FORMATS)
def test_two_calls_go_out_together_in_every_format(demo: DemoServer, path: str) -> None:
    version = "anthropic-version: 2023-06-01\r\n"
    body = ask(demo, {"model": "plain", **FORMATS[path]}, path=path, headers=version).body.decode()
    assert body.count("get_weather") == 2
    assert body.index("Oslo") < body.index("Bergen")
