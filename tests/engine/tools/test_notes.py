"""Cases that no answer passes are noted, and only those."""

from __future__ import annotations

from typing import Any

import pytest

from engine.tools.answers import Answer, Call
from engine.tools.io import Source, import_suite
from engine.tools.io.studio import dumps
from engine.tools.notes import note_of, suite_notes
from engine.tools.samples import sample_suite
from engine.tools.scoring import score
from engine.tools.suites import Suite

TOOL = {
    "name": "book",
    "parameters": {
        "type": "object",
        "properties": {
            "days": {"type": "integer"},
            "unit": {"enum": ["C", "F"]},
            "tags": {"type": "array", "items": {"type": "string"}},
            "page": {"type": "integer", "default": 1},
        },
        "required": ["days", "page"],
    },
}
RIGHT = {"days": {"values": [3]}, "page": {"values": [1]}}


def suite(*sets: dict[str, Any], **case: Any) -> Suite:
    """A case that expects one call, with any of these sets of arguments."""
    calls = [[{"name": "book", "arguments": {**RIGHT, **arguments}}] for arguments in sets]
    expect = {"kind": "calls", "alternatives": calls}
    cases = [{"id": "a", "prompt": "Book it", "expect": expect, **case}]
    return Suite.model_validate({"name": "S", "tools": [TOOL], "cases": cases})


PLACE = "cases.0.expect.alternatives.0.0"


@pytest.mark.parametrize(
    ("arguments", "name", "said"),
    [
        ({"days": {"values": ["three", None]}}, "days", "must be integer"),
        ({"unit": {"values": ["K"]}}, "unit", "must be"),
        ({"tags": {"values": [["a", 1]]}}, "tags", "must be string"),
        ({"days": {"values": ["3"], "optional": True}}, "days", "must be integer"),
        ({"unit": {"values": ["K"], "match": {"kind": "one_of", "values": [5]}}}, "unit", "must"),
    ],
)
def test_a_value_that_its_schema_refuses_is_noted(
    arguments: dict[str, Any], name: str, said: str
) -> None:
    [(path, sentence)] = suite_notes(suite(arguments)).items()
    assert path == f"{PLACE}.arguments.{name}"
    assert sentence.startswith(f"The schema disagrees: {name}")
    assert said in sentence


@pytest.mark.parametrize("arguments", [{"days": {"values": ["3"]}}, {"unit": {"values": ["K"]}}])
def test_what_is_noted_does_not_pass(arguments: dict[str, Any]) -> None:
    made = suite(arguments)
    values = {name: item["values"][0] for name, item in {**RIGHT, **arguments}.items()}
    assert not score(made.cases[0], made, Answer((Call("book", values),))).passed


@pytest.mark.parametrize(
    "arguments",
    [
        {},
        {"days": {"values": ["3", 3]}},
        {"unit": {"values": ["K"], "optional": True}},
        {"unit": {"values": ["K"], "ignore": True}},
        {"unit": {"values": [" C"]}},
        {"unit": {"values": ["c"], "match": {"kind": "exact", "fold_case": True}}},
        {"days": {"values": ["3"], "match": {"kind": "contains"}}},
        {"tags": {"values": [{"a": ["b"]}], "match": {"kind": "allowed"}}},
    ],
)
def test_what_some_answer_passes_is_not_noted(arguments: dict[str, Any]) -> None:
    assert suite_notes(suite(arguments)) == {}


def test_one_set_of_calls_that_can_be_made_is_enough() -> None:
    assert suite_notes(suite({"unit": {"values": ["K"]}}, {})) == {}


def test_a_required_argument_that_is_not_expected_is_noted() -> None:
    data = suite({}).model_dump(mode="json")
    call = data["cases"][0]["expect"]["alternatives"][0][0]
    del call["arguments"]["page"]  # its default may be left out
    assert suite_notes(Suite.model_validate(data)) == {}
    del call["arguments"]["days"]
    sentence = "book requires days, which the case does not expect."
    assert suite_notes(Suite.model_validate(data)) == {PLACE: sentence}


def test_turns_of_a_chain_are_looked_at() -> None:
    wrong = suite({"unit": {"values": ["K"]}}).cases[0].expect.model_dump(mode="json")
    made = suite({}, chain={"turns": [{"prompt": "And?", "expect": wrong}]})
    [path] = suite_notes(made)
    assert path.startswith("cases.0.chain.turns.0.expect.")


def test_the_sample_suite_has_nothing_to_note() -> None:
    assert note_of(sample_suite()) is None


def test_an_import_says_it_and_goes_on() -> None:
    text = dumps(suite({"days": {"values": ["three"]}}))
    imported = import_suite([Source("s.json", text.encode())], check=True)
    [note] = imported.notes
    assert note.startswith("1 case cannot pass by the studio's rules, whatever is answered. a: ")
