from __future__ import annotations

from collections.abc import Sequence

import pytest

from engine.tools.offer import Offer, make_offer
from engine.tools.suites import Tool


def offer(*names: str, prefix: str = "openai") -> Offer:
    return make_offer([Tool(name=name) for name in names], prefix)


def sent(made: Offer) -> Sequence[str]:
    return [definition["function"]["name"] for definition in made.definitions]


def test_names_that_a_provider_takes_stay_as_they_are() -> None:
    made = offer("get_weather", "get-weather2")

    assert sent(made) == ["get_weather", "get-weather2"]
    assert made.renamed == {}


def test_dots_become_underscores_and_are_mapped_back() -> None:
    made = offer("math.hypot", "wetter.für", "7up")

    assert sent(made) == ["math_hypot", "wetter_f_r", "_7up"]
    assert [made.named(name) for name in sent(made)] == ["math.hypot", "wetter.für", "7up"]
    assert made.named("invented.tool") == "invented.tool"


def test_two_tools_never_get_one_name() -> None:
    made = offer("a.b", "a_b", "a:b", "x" * 70, "x" * 71)

    assert len(set(sent(made))) == 5
    assert sent(made)[1] == "a_b", "who has a name that can be sent keeps it"
    assert all(len(name) <= 64 for name in sent(made))
    assert [made.named(name) for name in sent(made)] == ["a.b", "a_b", "a:b", "x" * 70, "x" * 71]


def test_a_provider_that_takes_dots_gets_them() -> None:
    assert sent(offer("math.hypot", prefix="gemini")) == ["math.hypot"]


@pytest.mark.parametrize(("name", "going"), [("in vented!", "in_vented_"), ("", "unnamed")])
def test_a_name_the_model_made_up_can_go_back_to_the_provider(name: str, going: str) -> None:
    assert offer("get_weather").sent(name) == going
