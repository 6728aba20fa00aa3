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
        ("budget_usd", 0, "Give a number above 0."),
        ("recall", "perhaps", "Say yes or no."),
        ("recall", True, "The fact is hidden in filler: choose a context size above 0."),
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


LENGTHS = {"input_mean": 100, "output_mean": 20}


def test_lengths_a_set_and_context_sizes_exclude_each_other() -> None:
    both = sentences(prompts=[{"prompt": "a"}], synthetic=LENGTHS)
    assert both == {"synthetic": "Synthetic lengths and a set of prompts exclude each other."}
    sized = sentences(context_tiers=[0, 1000], synthetic=LENGTHS)
    assert "take the place of context sizes" in sized["synthetic"]


def test_fields_inside_a_part_are_named_by_their_path_with_their_range() -> None:
    assert sentences(
        synthetic={"input_mean": 0, "output_mean": 5}, prompts=[{"prompt": "a", "max_tokens": 0}]
    ) == {
        "synthetic.input_mean": "Give a number from 1 to 2,000,000.",
        "prompts.0.max_tokens": "Give a number from 1 to 128,000.",
    }
    assert sentences(load={"levels": [1], "requests": 0}) == {
        "load.requests": "Give a number from 1 to 100,000."
    }


def test_a_set_has_limits_in_number_and_size() -> None:
    item = {"prompt": "x" * 6_000}
    assert sentences(prompts=[{"prompt": "a"}] * 1_001) == {"prompts": "Choose at most 1,000."}
    assert sentences(prompts=[item] * 900) == {
        "prompts": "Keep the set to 5,000,000 characters or fewer."
    }
    large = sentences(prompts=[{"prompt": "a"}] * 500, context_tiers=[50_000], load={"levels": [4]})
    assert "500 prompts with 50,000 tokens of context each" in large["load"]
