"""BFCL's files become cases, and go out as they came; nothing in them is run."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.tools.io import Imported, ImportProblem, Source, export_suite, import_suite
from engine.tools.io.bfcl_cases import category_of
from engine.tools.suites import Allowed, ExpectCalls

AREA = {
    "name": "area.triangle",
    "description": "The area of a triangle.",
    "parameters": {
        "type": "dict",
        "properties": {
            "base": {"type": "float", "description": "The base."},
            "type": {"type": "string", "enum": ["float", "dict"]},
            "sides": {"type": "array", "items": {"type": "float"}},
            "extra": {"type": "any"},
            "place": {"type": "dict", "properties": {"x": {"type": "float"}}},
            "pair": {"type": "tuple", "items": {"type": "integer"}},
        },
        "required": ["base"],
    },
}
SIMPLE = {
    "id": "simple_0",
    "question": [[{"role": "user", "content": "Area of a triangle with base 3?"}]],
    "function": [AREA],
}
TRUTH = {
    "id": "simple_0",
    "ground_truth": [
        {"area.triangle": {"base": [3, 3.0], "type": ["float", ""], "place": [{"x": [1.0, ""]}]}}
    ],
}


def lines(*items: Any) -> bytes:
    return "".join(f"{json.dumps(item)}\n" for item in items).encode()


def read(questions: list[Any], *more: list[Any], **how: Any) -> Imported:
    sources = [Source(f"{n}.json", lines(*items)) for n, items in enumerate([questions, *more])]
    return import_suite(sources, **how)


def problem(*files: list[Any]) -> str:
    with pytest.raises(ImportProblem) as caught:
        read(*files)
    return str(caught.value)


@pytest.mark.parametrize(
    ("case_id", "category"),
    [
        ("simple_0", "simple"),
        ("live_parallel_multiple_3-2-1", "live_parallel_multiple"),
        ("multi_turn_base_12", "multi_turn_base"),
        ("simple_python_7", "simple_python"),
        ("irrelevance", ""),
    ],
)
def test_the_category_stands_in_the_id(case_id: str, category: str) -> None:
    assert category_of(case_id) == category


def test_a_question_with_its_answer_becomes_a_case() -> None:
    found = read([SIMPLE], [TRUTH])
    [case] = found.suite.cases
    assert (found.format, found.suite.name, found.notes) == ("bfcl", "BFCL simple", ())
    assert (case.id, case.category, case.prompt) == (
        "simple_0",
        "simple",
        "Area of a triangle with base 3?",
    )
    assert isinstance(case.expect, ExpectCalls)
    [[call]] = case.expect.alternatives
    assert call.name == "area.triangle"
    assert call.arguments["base"].values == (3, 3.0)
    assert (call.arguments["type"].values, call.arguments["type"].optional) == (("float",), True)
    assert call.arguments["place"].match == Allowed()


def test_types_become_json_schemas_and_the_original_is_kept() -> None:
    [tool] = read([SIMPLE], [TRUTH]).suite.cases[0].tools or ()
    assert tool.original == AREA["parameters"]
    assert tool.parameters == {
        "type": "object",
        "properties": {
            "base": {"type": "number", "description": "The base."},
            "type": {"type": "string", "enum": ["float", "dict"]},
            "sides": {"type": "array", "items": {"type": "number"}},
            "extra": {},
            "place": {"type": "object", "properties": {"x": {"type": "number"}}},
            "pair": {"type": "array", "items": {"type": "integer"}},
        },
        "required": ["base"],
    }


def test_the_files_may_come_in_any_order_with_marks_and_windows_line_ends() -> None:
    answers = Source("a.json", b"\xef\xbb\xbf" + lines(TRUTH).replace(b"\n", b"\r\n"))
    questions = Source("q.json", lines(SIMPLE) + b"\r\n  \n")
    assert import_suite([answers, questions]).suite == read([SIMPLE], [TRUTH]).suite


def test_relevance_and_irrelevance_need_no_answer() -> None:
    ids = ["irrelevance_0", "live_irrelevance_1-0-0", "live_relevance_2-0-0"]
    cases = read([SIMPLE | {"id": case_id} for case_id in ids]).suite.cases
    assert [case.expect.kind for case in cases] == ["none", "none", "any"]


def test_a_conversation_that_came_before_is_kept() -> None:
    talk = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Area?"}]
    [case] = read([SIMPLE | {"question": [talk]}], [TRUTH]).suite.cases
    assert (case.prompt, case.conversation) == ("", talk)


def test_what_goes_out_is_what_came_in() -> None:
    parallel = SIMPLE | {"id": "live_parallel_0-0-0"}
    many = {"id": "live_parallel_0-0-0", "ground_truth": [{"area.triangle": {"base": [n]}}
            for n in (1, 2)]}  # fmt: skip
    irrelevant = SIMPLE | {"id": "irrelevance_0"}
    files = ([SIMPLE, parallel, irrelevant], [TRUTH, many])
    made = export_suite(read(*files).suite, "bfcl")
    assert made.left_out == ()
    assert made.files["questions.json"].encode() == lines(*files[0])
    assert made.files["possible_answers.json"].encode() == lines(*files[1])


VALUE = st.recursive(
    st.booleans() | st.integers(-99, 99) | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=5),
    lambda v: st.lists(v, max_size=2)
    | st.dictionaries(st.sampled_from("ab"), st.lists(v, min_size=1, max_size=2), max_size=2),
    max_leaves=4,
)  # fmt: skip
TRUTHS = st.lists(
    st.dictionaries(
        st.sampled_from("xyz"),
        st.lists(VALUE, max_size=3).flatmap(
            lambda v: st.sampled_from([v, [*v, ""]]) if v else st.just([""])
        ),
        max_size=3,
    ),
    min_size=1,
    max_size=3,
)


@settings(max_examples=30, deadline=None)
@given(st.lists(TRUTHS, min_size=1, max_size=4))
def test_every_answer_survives_the_way_in_and_out(truths: list[list[dict[str, Any]]]) -> None:
    ids = [f"live_parallel_{n}-0-0" for n in range(len(truths))]
    answers = [
        {"id": case_id, "ground_truth": [{"area.triangle": call} for call in calls]}
        for case_id, calls in zip(ids, truths, strict=True)
    ]
    made = export_suite(read([SIMPLE | {"id": i} for i in ids], answers).suite, "bfcl")
    # JSON text may hold further characters that str.splitlines takes for the end of a line.
    written = made.files["possible_answers.json"].rstrip("\n").split("\n")
    assert [json.loads(line) for line in written] == answers


def test_our_own_cases_go_out_as_far_as_bfcl_can_say_them() -> None:
    tool = {
        "name": "find",
        "parameters": {
            "type": "object",
            "properties": {"q": {"type": "string"}, "n": {"type": "number", "default": 5}},
        },
    }

    def case(case_id: str, expect: dict[str, Any], **more: Any) -> dict[str, Any]:
        return {"id": case_id, "prompt": f"Ask {case_id}", "expect": expect, **more}

    def calls(*names: dict[str, Any], **more: Any) -> dict[str, Any]:
        return {"kind": "calls", "alternatives": [list(names)], **more}

    one = {
        "name": "find",
        "arguments": {"q": {"values": [{"a": {"b": [{"c": 1}]}}]}, "n": {"values": [5]}},
    }
    suite = import_suite(
        [
            Source(
                "s.json",
                json.dumps(
                    {
                        "format": "studio.suite/1",
                        "name": "Own",
                        "system_prompt": "Be brief.",
                        "tools": [tool],
                        "cases": [
                            case("mine", calls(one)),
                            case("two", calls(one, one)),
                            case("none", {"kind": "none"}),
                            case("any", {"kind": "any"}),
                            case("strict", calls(one, one, order="strict")),
                            case("or", {"kind": "calls", "alternatives": [[one], [one]]}),
                            case("others", calls(one | {"ignore_others": True})),
                            case("fuzzy", calls(one), match={"kind": "fuzzy"}),
                            case("chain", calls(one), chain={}),
                            case("union", {"kind": "any"}, tools=[tool | {"parameters": {
                                "properties": {"q": {"type": ["string", "null"]}}}}]),
                        ],
                    }
                ).encode(),
            )
        ]
    ).suite  # fmt: skip
    made = export_suite(suite, "bfcl")
    questions = [json.loads(line) for line in made.files["questions.json"].splitlines()]
    answers = [json.loads(line) for line in made.files["possible_answers.json"].splitlines()]
    ids = [question["id"] for question in questions]
    assert ids == ["simple_0", "parallel_0", "irrelevance_0", "live_relevance_0"]
    assert questions[0]["question"][0][0] == {"role": "system", "content": "Be brief."}
    assert questions[0]["function"][0]["parameters"]["properties"]["n"]["type"] == "float"
    assert answers[0]["ground_truth"] == [
        {"find": {"q": [{"a": [{"b": [{"c": 1}]}]}], "n": [5, ""]}}
    ]
    assert [item.case for item in made.left_out] == [
        "strict", "or", "others", "fuzzy", "chain", "union",
    ]  # fmt: skip
    assert made.left_out[-1].reason == (
        "BFCL has one type for a parameter: a tool has a parameter of the types string, null."
    )
    assert [case.expect.kind for case in read(questions, answers).suite.cases] == [
        "calls", "calls", "none", "any",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("files", "sentence"),
    [
        ([[SIMPLE]], "0.json, line 1: simple_0 has no possible answer; add the file"),
        ([[TRUTH]], "There is no question in these files"),
        ([[SIMPLE, SIMPLE], [TRUTH]], "0.json, line 2: The id 'simple_0' stands on line 1 already"),
        ([[SIMPLE], [TRUTH, TRUTH]], "1.json, line 2: The id 'simple_0' stands on line 1 already"),
        ([[SIMPLE], [TRUTH], [SIMPLE]], "2.json, line 1: The id 'simple_0' stands on line 1 of 0"),
        ([[SIMPLE, {"question": []}], [TRUTH]], "0.json, line 2: This line has no id."),
        ([[SIMPLE, {"id": "x"}], [TRUTH]], "line 2: x has neither question nor ground_truth"),
        ([[SIMPLE | {"question": [[{"role": "user"}]]}], [TRUTH]], "question is a list of turns"),
        ([[SIMPLE | {"question": []}], [TRUTH]], "question is a list of turns"),
        ([[SIMPLE | {"function": [AREA, AREA]}], [TRUTH]], "'area.triangle' stands there twice"),
        ([[SIMPLE | {"function": ["x"]}], [TRUTH]], "A function is an object"),
        ([[SIMPLE | {"function": [{"name": ""}]}], [TRUTH]], "line 1: name: Fill this in."),
        ([[SIMPLE], [TRUTH | {"ground_truth": []}]], "1.json, line 1: ground_truth is a list of"),
        ([[SIMPLE], [TRUTH | {"ground_truth": ["f()"]}]], "an object with one name"),
        (
            [[SIMPLE], [TRUTH | {"ground_truth": [{"f": {"a": 1}}]}]],
            "'a' in ground_truth is a list",
        ),
    ],
)
def test_what_is_refused_names_line_and_reason(files: list[list[Any]], sentence: str) -> None:
    assert sentence in problem(*files)


def test_a_broken_line_in_the_middle_is_named() -> None:
    broken = lines(SIMPLE) + b'{"id": "simple_1", "question": \n' + lines(SIMPLE)
    with pytest.raises(ImportProblem, match=r"q, line 2: This is not JSON: Expecting value"):
        import_suite([Source("q", broken), Source("a", lines(TRUTH))])


def test_answers_without_a_question_are_counted() -> None:
    found = read([SIMPLE], [TRUTH, TRUTH | {"id": "simple_1"}])
    assert found.notes == ("Answers without a question here were left out: 1.",)


def test_code_in_a_ground_truth_stays_text() -> None:
    code = "__import__('os').system('touch /tmp/never')"
    truth = {"id": "simple_0", "ground_truth": [{"area.triangle": {"type": [code]}}]}
    [case] = read([SIMPLE], [truth]).suite.cases
    assert isinstance(case.expect, ExpectCalls)
    assert case.expect.alternatives[0][0].arguments["type"].values == (code,)


def test_a_schema_that_cannot_be_checked_names_the_line_of_its_question() -> None:
    bad = AREA | {"parameters": {"type": "dict", "properties": {"a": {"$ref": "x"}}}}
    two = SIMPLE | {"id": "simple_1", "function": [bad]}
    with pytest.raises(ImportProblem, match=r"0\.json, line 2: cases\.1\.tools\.0\.parameters: "):
        read([SIMPLE, two], [TRUTH, TRUTH | {"id": "simple_1"}], check=True)


def test_what_json_schema_cannot_read_is_left_out_of_the_simple_one() -> None:
    parts = {
        "a": {"type": "String", "required": True, "minimum": "0"},
        "b": {"type": "Date", "enum": "x", "items": "string"},
        "c": {"type": "HashMap", "properties": []},
    }
    odd = AREA | {"parameters": {"type": "dict", "properties": parts, "required": "a"}}
    [case] = read([SIMPLE | {"function": [odd]}], [TRUTH]).suite.cases
    [tool] = case.tools or ()
    assert tool.parameters == {
        "type": "object",
        "properties": {"a": {"type": "string"}, "b": {}, "c": {"type": "object"}},
    }
    assert tool.original == odd["parameters"]


def test_a_file_may_be_one_list_and_its_items_have_lines() -> None:
    whole = [Source("q", json.dumps([SIMPLE], indent=1).encode()), Source("a", lines(TRUTH))]
    assert import_suite(whole).suite == read([SIMPLE], [TRUTH]).suite
    twice = json.dumps([{"id": "simple_0", "question": "x"}] * 2, indent=1).encode()
    with pytest.raises(ImportProblem, match="q, line 6: The id 'simple_0' stands on line 2"):
        import_suite([Source("q", twice), Source("a", lines(TRUTH))])
