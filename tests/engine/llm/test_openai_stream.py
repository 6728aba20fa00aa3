"""OpenAI's chunks, and what servers that speak its format do differently."""

from __future__ import annotations

from typing import Any

import pytest

from engine.llm.answer import Decoded, Usage
from engine.llm.decode import decode
from engine.llm.openai_stream import usage_of
from tests.engine.llm.agreement import both, counted, same_answer
from tests.engine.llm.formats import OPENAI, one_read_each, openai
from tests.engine.llm.streams import delta

MODEL = "openai/gpt-4o"


def read(*chunks: dict[str, Any]) -> Decoded:
    return decode(one_read_each(openai(*chunks)), MODEL, ())


def counts(given: int, output: int, **more: Any) -> dict[str, Any]:
    return {"prompt_tokens": given, "completion_tokens": output, **more}


@pytest.mark.parametrize("name", OPENAI)
def test_it_agrees_with_litellm_on_the_same_bytes(name: str) -> None:
    ours, theirs = both(one_read_each(OPENAI[name]), MODEL)
    same_answer(ours, theirs)
    assert counted(ours.usage) == counted(theirs.usage)
    assert (ours.usage.reasoning or 0) == (theirs.usage.reasoning or 0)


def test_further_choices_are_passed_over() -> None:
    chunk = delta("a")
    chunk["choices"].append({"index": 1, "delta": {"content": "other"}})
    assert read(chunk).text == "a"


def test_mistrals_typed_parts_are_thought_and_text() -> None:
    thinking = {"type": "thinking", "thinking": [{"type": "text", "text": "hm"}]}
    decoded = read(delta(delta={"content": [thinking, {"type": "text", "text": "yes"}]}))
    assert (decoded.reasoning, decoded.text) == ("hm", "yes")


def test_openrouters_name_for_reasoning_is_known() -> None:
    assert read(delta(delta={"reasoning": "hm", "content": ""})).reasoning == "hm"


def test_usage_stands_in_a_choice_at_moonshot_and_one_deeper_at_groq() -> None:
    moonshot = delta(finish_reason="stop")
    moonshot["choices"][0]["usage"] = counts(5, 2)
    assert read(delta("a"), moonshot).usage == Usage(5, 2)
    groq = delta(finish_reason="stop") | {"x_groq": {"id": "r", "usage": counts(5, 2)}}
    assert read(delta("a") | {"x_groq": {"id": "r"}}, groq).usage == Usage(5, 2)


@pytest.mark.parametrize("second", [2, 1, 0])
def test_counts_that_stand_still_or_go_back_tell_no_tokens_of_events(second: int) -> None:
    decoded = read(delta("a b", usage=counts(3, 2)), delta("c", usage=counts(3, second)))
    assert [event.tokens for event in decoded.events] == [None, None]


def test_a_server_that_counts_only_at_the_end_tells_no_tokens_of_events() -> None:
    chunks = [delta(word, usage=counts(3, 0)) for word in ("a", "b", "c")]
    chunks[-1]["usage"] = counts(3, 30)
    decoded = read(*chunks)
    assert [event.tokens for event in decoded.events] == [None, None, None]
    assert decoded.usage.output == 30


def test_a_token_without_text_counts_with_the_text_it_completes() -> None:
    chunks = [delta("a", usage=counts(3, 1)), delta("", usage=counts(3, 2)),
              delta("é", usage=counts(3, 3))]  # fmt: skip
    assert [event.tokens for event in read(*chunks).events] == [1, 2]


def test_hidden_thoughts_are_no_tokens_of_the_first_text() -> None:
    def told(output: int) -> dict[str, Any]:
        details = {"completion_tokens_details": {"reasoning_tokens": 300}}
        return counts(10, 300 + output, total_tokens=310 + output, **details)

    decoded = read(delta("", usage=told(0)), delta("a", usage=told(1)), delta("b c", usage=told(3)))
    assert [event.tokens for event in decoded.events] == [1, 2]


def test_xais_reasoning_counts_in_every_chunk() -> None:
    def told(output: int, thought: int) -> dict[str, Any]:
        details = {"completion_tokens_details": {"reasoning_tokens": thought}}
        return counts(10, output, total_tokens=10 + output + thought, **details)

    decoded = read(
        delta(delta={"reasoning_content": "h m"}, usage=told(0, 2)),
        delta("yes", usage=told(1, 2)),
    )
    assert [event.tokens for event in decoded.events] == [2, 1]
    assert decoded.usage == Usage(10, 3, 2)


@pytest.mark.parametrize(
    ("said", "thought", "total", "output"),
    [
        (100, 40, 110, 100),  # OpenAI: inside
        (100, 40, 150, 140),  # xAI: beside
        (100, 40, None, 100),
        (2, 317, None, 319),  # more thought than said
        (100, 0, 110, 100),
        (100, None, 110, 100),
    ],
)
def test_output_is_all_output(
    said: int, thought: int | None, total: int | None, output: int
) -> None:
    details = {"completion_tokens_details": {"reasoning_tokens": thought}}
    usage = counts(10, said, total_tokens=total, **details)
    assert usage_of(usage) == Usage(10, output, thought)


def test_deepseeks_cache_hits_are_cached_input() -> None:
    usage = counts(10, 2, prompt_cache_hit_tokens=6, prompt_cache_miss_tokens=4)
    assert usage_of(usage) == Usage(10, 2, cached=6)
