"""One spec for form, command line and job; one sentence for each refused field."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from engine.specs import BenchmarkSpec, explain, load_spec

TARGETS = [{"provider": "demo", "model": "fast-small"}]


def sentences(**fields: Any) -> dict[str, str]:
    with pytest.raises(ValidationError) as caught:
        BenchmarkSpec.model_validate({"targets": TARGETS, **fields})
    return explain(caught.value)


@pytest.mark.parametrize(
    ("field", "value", "sentence"),
    [
        ("max_tokens", 0, "Give a number from 1 to 128,000."),
        ("max_tokens", "many", "Give a whole number."),
        ("runs", 10_000, "Give a number from 1 to 1,000."),
        ("runs", 2.5, "Give a whole number."),
        ("temperature", 3, "Give a number from 0 to 2."),
        ("timeout_s", 0, "Give a number from 1 to 3,600."),
        ("prompt", "x" * 600_000, "Keep this to 500,000 characters or fewer."),
        ("prompt", "  ", "Write a prompt."),
        ("name", "n" * 200, "Keep this to 120 characters or fewer."),
        ("targets", [], "Choose at least one model."),
        ("colour", "red", "This field is not known."),
    ],
)
def test_each_refused_field_has_one_sentence(field: str, value: object, sentence: str) -> None:
    assert sentences(**{field: value}) == {field: sentence}


def test_a_bad_tier_is_named_by_its_place() -> None:
    assert sentences(context_tiers=[0, -5]) == {
        "context_tiers.1": "Give a number from 0 to 2,000,000."
    }


def test_several_fields_are_refused_at_once() -> None:
    assert set(sentences(runs=0, max_tokens=0)) == {"runs", "max_tokens"}


def test_a_spec_survives_being_stored() -> None:
    spec = BenchmarkSpec.model_validate({"targets": TARGETS, "context_tiers": [5000, 0, 5000]})
    assert load_spec(spec.model_dump(mode="json")) == spec
    assert spec.context_tiers == (0, 5000)


def test_a_target_chosen_twice_counts_once() -> None:
    assert len(BenchmarkSpec.model_validate({"targets": TARGETS * 3}).targets) == 1


def test_a_spec_cannot_be_changed() -> None:
    spec = BenchmarkSpec.model_validate({"targets": TARGETS})
    with pytest.raises(ValidationError):
        spec.runs = 5  # type: ignore[misc]


def test_an_unknown_kind_is_refused() -> None:
    with pytest.raises(KeyError):
        load_spec({"kind": "horoscope"})
