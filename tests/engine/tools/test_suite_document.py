"""docs/tools.md says what a suite looks like, and what it shows works."""

from __future__ import annotations

import inspect
import re
from pathlib import Path

from engine.tools import suites
from engine.tools.answers import Answer, Call
from engine.tools.schemas import problems_of
from engine.tools.scoring import score
from engine.tools.suites import Part, Suite

TEXT = (Path(__file__).resolve().parents[3] / "docs/tools.md").read_text()
SECTION = TEXT.split("## The format of a suite")[1].split("\n## ")[0]


def test_the_suite_that_is_shown_can_be_saved_and_scored() -> None:
    [shown] = re.findall(r"```json\n(.*?)```", SECTION, re.DOTALL)
    suite = Suite.model_validate_json(shown)
    assert problems_of(suite) == {}
    cities, talk = suite.cases
    rome, oslo = (
        Call("get_weather", {"city": "roma"}),
        Call("get_weather", {"city": "Oslo", "days": 3}),
    )
    assert score(cities, suite, Answer((rome, oslo))).passed
    assert not score(cities, suite, Answer((rome, rome))).passed
    assert score(talk, suite, Answer(())).passed


def test_every_field_of_a_suite_is_described() -> None:
    parts = [
        item
        for _, item in inspect.getmembers(suites, inspect.isclass)
        if issubclass(item, Part) and item is not Part
    ]
    fields = {name for part in parts for name in part.model_fields} - {"format"}
    assert {name for name in fields if f"`{name}`" not in SECTION} == set()
