"""Chains scored: each conversation is played against its mocks, and every part asserted."""

from __future__ import annotations

from typing import Any

import pytest

from engine.tools.answers import Answer, Call, Scored
from engine.tools.chain_scoring import TrialScorer
from engine.tools.chains import Conversation
from tests.engine.tools.builders import (
    BOOK,
    WEATHER,
    answered,
    called,
    calls,
    case,
    suite,
    voice,
)

FIND = {"name": "find_hotels", "parameters": WEATHER["parameters"]}
HOTELS = {
    "tool": "find_hotels",
    "responses": [{"result": {"hotels": [{"id": "h7"}, {"id": "h9"}]}}],
}
BOOKING = {
    "tool": "book_hotel",
    "responses": [
        {"when": {"id": "full"}, "error": "No room."},
        {"set_state": {"booked": "{{args.id}}"}, "result": {"booked": "{{args.id}}"}},
    ],
}
TRIP = {
    "mocks": [HOTELS, BOOKING],
    "sources": [
        {"tool": "book_hotel", "argument": "id", "from_tool": "find_hotels", "field": "hotels.id"}
    ],
}
FOUND = called("find_hotels", city="Oslo")
BOOKED = called("book_hotel", id="h7")
DUE = calls(("find_hotels", {"city": "Oslo"}), ("book_hotel", {"id": "h7"}), order="strict")
DONE = Answer((), "Done.")


def play(*said: Answer, expect: Any = DUE, chain: Any = TRIP, **more: Any) -> Scored:
    """Score the conversation in which the model said this."""
    made = suite(case(expect=expect, chain=chain), tools=[WEATHER, BOOK, FIND])
    asking = voice(made, **more)
    talk = Conversation(made.cases[0], asking)
    for answer in said:
        talk.take(answer)
    return TrialScorer(asking.spec, made).score(made.cases[0], talk.told)


def test_the_shortest_way_is_full_in_every_part() -> None:
    scored = play(answered(FOUND), answered(BOOKED), DONE)

    assert (scored.passed, scored.error_type, scored.errors) == (True, None, ())
    assert set(scored.scores.values()) == {1.0}
    assert {"overall", "completion", "efficiency", "argument_source", "selection"} <= set(
        scored.scores
    )


def test_half_of_what_was_due_is_half_complete() -> None:
    scored = play(answered(FOUND), DONE)

    assert scored.scores["completion"] == 0.5
    assert scored.scores["efficiency"] == 1.0
    assert scored.scores["overall"] == 0.5
    assert (scored.passed, scored.error_type) == (False, "missing_call")


def test_a_needless_repeat_costs_efficiency_and_its_penalty() -> None:
    scored = play(answered(FOUND), answered(FOUND), answered(BOOKED), DONE)

    assert scored.scores["efficiency"] == pytest.approx(2 / 3)
    assert scored.scores["overall"] == pytest.approx(2 / 3 - 0.1)
    assert scored.scores["without_repeats"] == pytest.approx(2 / 3)
    assert scored.scores["without_detours"] == 1
    assert scored.errors == ("extra_call",)
    assert [diff.call for diff in scored.diffs if diff.error] == [1]


def test_a_detour_costs_its_penalty_too() -> None:
    scored = play(
        answered(FOUND), answered(called("get_weather", city="Oslo")), answered(BOOKED), DONE
    )

    assert scored.scores["overall"] == pytest.approx(2 / 3 - 0.1)
    assert scored.scores["without_detours"] == pytest.approx(2 / 3)
    assert scored.scores["without_repeats"] == 1
    assert [diff.call for diff in scored.diffs if diff.error] == [1]


def test_penalties_are_the_specs_and_end_at_nothing() -> None:
    detour = answered(*[called("get_weather", city=str(n)) for n in range(20)])
    assert play(detour, answered(FOUND), answered(BOOKED), DONE).scores["overall"] == 0
    free = play(detour, answered(FOUND), answered(BOOKED), DONE, weights={"detour_penalty": 0})
    assert free.scores["overall"] == pytest.approx(2 / 22)


def test_trying_again_after_a_failure_of_the_tool_costs_nothing() -> None:
    busy = {
        "tool": "find_hotels",
        "responses": [{"on_call": 1, "error": "busy"}, *HOTELS["responses"]],
    }
    scored = play(
        answered(FOUND),
        answered(FOUND),
        answered(BOOKED),
        DONE,
        chain={**TRIP, "mocks": [busy, BOOKING]},
    )
    assert scored.passed, scored


def test_asking_again_for_what_changes_is_no_needless_repeat() -> None:
    polled = {
        "tool": "find_hotels",
        "responses": [{"on_call": 1, "result": {"hotels": []}}, *HOTELS["responses"]],
    }
    scored = play(
        answered(FOUND),
        answered(FOUND),
        answered(BOOKED),
        DONE,
        chain={**TRIP, "mocks": [polled, BOOKING]},
    )

    assert scored.scores["without_repeats"] == scored.scores["without_detours"] == 1
    assert scored.scores["efficiency"] == pytest.approx(2 / 3)


def test_an_argument_that_was_guessed_ignores_its_source() -> None:
    guessed = play(
        answered(BOOKED),
        answered(FOUND),
        DONE,
        expect=calls(("find_hotels", {"city": "Oslo"}), ("book_hotel", {"id": "h7"})),
    )
    assert guessed.scores["argument_source"] == 0
    assert guessed.errors == ("ignored_source",)
    assert guessed.scores["overall"] == 1, "the parts say what the overall score does not"
    assert not guessed.passed

    together = play(answered(FOUND, BOOKED), DONE)
    assert together.errors == ("ignored_source",), (
        "what is asked for in one answer was not read in it"
    )


def test_a_call_out_of_order_is_not_done() -> None:
    scored = play(answered(BOOKED), answered(FOUND), DONE)
    assert scored.scores["completion"] == 0.5
    assert "wrong_order" in scored.errors


def test_a_chain_that_never_ends_has_stalled() -> None:
    scored = play(answered(FOUND), answered(BOOKED), chain={**TRIP, "max_rounds": 2})
    assert (scored.passed, scored.error_type) == (False, "stalled_chain")
    assert scored.reason


def test_a_malformed_call_is_its_own_outcome() -> None:
    scored = play(answered(Call("find_hotels", None, "{oops")), answered(BOOKED), DONE)
    assert scored.error_type == "malformed_arguments"
    assert scored.scores["completion"] == 0.5


@pytest.mark.parametrize("mode", ["studio", "state"])
def test_an_end_state_passes_whatever_the_way(mode: str) -> None:
    expect = {"kind": "state", "state": {"booked": "h7"}}
    way = (answered(called("get_weather", city="Oslo")), answered(BOOKED), DONE)
    plain = {"mocks": [HOTELS, BOOKING]}

    assert play(*way, expect=expect, chain=plain, mode=mode).passed
    missed = play(
        answered(called("book_hotel", id="h9")), DONE, expect=expect, chain=plain, mode=mode
    )
    assert (missed.passed, missed.scores["overall"]) == (False, 0)


def test_in_the_mode_state_alone_the_way_costs_nothing() -> None:
    expect = {"kind": "state", "state": {"booked": "h7"}}
    way = (answered(BOOKED), answered(BOOKED), DONE)
    chain = {"mocks": [BOOKING], "optimal_hops": 1}

    assert play(*way, expect=expect, chain=chain, mode="state").passed
    studio = play(*way, expect=expect, chain=chain)
    assert studio.scores["state"] == 1
    assert studio.scores["efficiency"] == 0.5
    assert not studio.passed


def test_every_turn_is_held_against_its_own_expectation() -> None:
    chain = {
        "mocks": [HOTELS, BOOKING],
        "turns": [
            {"prompt": "Only thinking aloud.", "expect": {"kind": "none"}},
            {"prompt": "Book it.", "expect": calls(("book_hotel", {"id": "h7"}))},
        ],
    }
    due = calls(("find_hotels", {"city": "Oslo"}))
    good = play(answered(FOUND), DONE, DONE, answered(BOOKED), DONE, expect=due, chain=chain)
    assert good.passed, good

    hasty = play(answered(FOUND), DONE, answered(BOOKED), DONE, DONE, expect=due, chain=chain)
    assert hasty.scores["completion"] == pytest.approx(1 / 3)
    assert "unneeded_call" in hasty.errors
    assert "no_call" in hasty.errors


def test_turns_that_were_not_reached_are_not_done() -> None:
    chain = {**TRIP, "max_rounds": 1, "turns": [{"prompt": "Well?", "expect": {"kind": "none"}}]}
    scored = play(answered(FOUND), expect=calls(("find_hotels", {"city": "Oslo"})), chain=chain)
    assert scored.scores["completion"] == 0.5
    assert scored.error_type == "stalled_chain"


def test_of_several_ways_the_nearest_counts() -> None:
    expect = {
        "kind": "calls",
        "alternatives": [
            [{"name": "get_weather", "arguments": {"city": {"values": ["Oslo"]}}}],
            calls(("find_hotels", {"city": "Oslo"}), ("book_hotel", {"id": "h7"}))["alternatives"][
                0
            ],
        ],
    }
    assert play(answered(FOUND), answered(BOOKED), DONE, expect=expect).passed
    assert play(answered(called("get_weather", city="Oslo")), DONE, expect=expect).passed


def test_calls_in_plain_text_count_only_where_the_user_chose_so() -> None:
    written = Answer((FOUND,), "[find_hotels(city='Oslo')]", recovered=True)
    due = calls(("find_hotels", {"city": "Oslo"}))
    assert play(written, expect=due).error_type == "no_call"
    assert play(written, DONE, expect=due, count_recovered=True).passed
    silent = {"mocks": [HOTELS]}
    assert play(written, expect={"kind": "none"}, chain=silent).error_type == "unneeded_call"


def test_a_case_without_a_chain_is_scored_as_one_answer() -> None:
    scored = play(answered(FOUND), expect=calls(("find_hotels", {"city": "Oslo"})), chain=None)
    assert scored.passed
    assert "completion" not in scored.scores


def test_only_schemas_count_in_the_mode_schema() -> None:
    assert play(answered(BOOKED), DONE, mode="schema").passed
    assert not play(answered(called("book_hotel", id=7)), DONE, mode="schema").passed
