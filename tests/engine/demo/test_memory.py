"""Reading a prompt for a fact: so far back and no further."""

from __future__ import annotations

from dataclasses import replace

import pytest

from engine.demo.catalog import catalog
from engine.demo.chat import ChatRequest, Message
from engine.demo.memory import look_up
from engine.demo.tokens import count

MODEL = replace(catalog().models["slow-large"], recall_tokens=None)
FACT = "The access code of the windmill is cobalt-4821."
ASK = "First: what is the access code of the windmill? Then explain recursion."
FILLER = "Crates are counted before dawn. " * 200


def request(*texts: str) -> ChatRequest:
    return ChatRequest("m", tuple(Message("user", text) for text in texts))


def test_a_stated_fact_is_told() -> None:
    memory = look_up(request(f"{FILLER}{FACT} {FILLER}{ASK}"), MODEL)
    assert memory == ("The access code of the windmill is cobalt-4821.\n\n", True)


@pytest.mark.parametrize(("reach", "found"), [(-1, False), (0, True), (1, True)])
def test_a_fact_beyond_the_models_reach_is_overlooked(reach: int, found: bool) -> None:
    text = f"{FILLER}{FACT} {FILLER}{ASK}"
    behind = count(text.partition(FACT)[2])
    memory = look_up(request(text), replace(MODEL, recall_tokens=behind + reach))
    assert memory
    assert memory.found is found
    assert ("cobalt" in memory.said) is found
    assert ("did not find" in memory.said) is not found


@pytest.mark.parametrize(
    "texts",
    [
        (f"{FILLER}{FACT}",),
        (ASK,),
        (f"{FACT} What is the access code of the orchard?",),
        (FACT, ASK),
        ("",),
        ("What is the " + "very " * 40 + "long of the day?",),
    ],
)
def test_without_a_fact_that_is_asked_for_nothing_is_said(texts: tuple[str, ...]) -> None:
    assert look_up(request(*texts), MODEL) is None


def test_the_models_of_the_catalog_read_differently_far() -> None:
    models = catalog().models
    assert models["slow-large"].recall_tokens is None
    assert (models["fast-small"].recall_tokens or 0) < (models["jittery"].recall_tokens or 0)
