"""Typed text becomes a spec, or one sentence beside its field."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from pydantic import ValidationError
from werkzeug.datastructures import MultiDict

from engine.config import Defaults, PromptTemplate
from engine.specs import BenchmarkSpec, LoadSpec, PromptItem, SyntheticSpec, TargetRef
from webapp.benchmark import forms

FAST = TargetRef(provider="demo", model="fast-small")
DEEP = TargetRef(provider="hub", model="org/deep-1")
KNOWN = {str(ref): ref for ref in (FAST, DEEP)}


def sent(**changes: Any) -> MultiDict[str, str]:
    fields: dict[str, Any] = {
        "target": ["demo/fast-small"],
        "prompt": "Say hello.",
        "runs": "5",
        "warmup": "0",
        "max_tokens": "64",
        "temperature": "0.5",
        "context_tiers": ["1000", "0"],
        "name": "Hello",
        "timeout_s": "30",
        "retries": "1",
        "seed": "7",
    }
    return MultiDict({k: v for k, v in (fields | changes).items() if v is not None})


def test_what_was_typed_becomes_the_spec() -> None:
    form = forms.read(sent(target=["demo/fast-small", "hub/org/deep-1"]), KNOWN)
    assert form.spec == BenchmarkSpec(
        name="Hello",
        targets=(FAST, DEEP),
        prompt="Say hello.",
        runs=5,
        warmup=0,
        max_tokens=64,
        temperature=0.5,
        context_tiers=(0, 1000),
        timeout_s=30,
        retries=1,
        seed=7,
    )


def test_an_empty_temperature_is_the_providers_own() -> None:
    form = forms.read(sent(temperature=" "), KNOWN)
    assert form.spec is not None
    assert form.spec.temperature is None


@pytest.mark.parametrize(
    ("field", "typed", "sentence"),
    [
        ("max_tokens", "0", "Give a number from 1 to 128,000."),
        ("runs", "10000", "Give a number from 1 to 1,000."),
        ("runs", "many", "Give a whole number."),
        ("runs", "", "Give a whole number."),
        ("warmup", "6", "Give a number from 0 to 5."),
        ("temperature", "hot", "Give a number."),
        ("temperature", "nan", "Give a number from 0 to 2."),
        ("timeout_s", "0", "Give a number from 1 to 3,600."),
        ("prompt", "x" * 600_000, "Keep this to 500,000 characters or fewer."),
        ("prompt", "   ", "Write a prompt."),
        ("name", "x" * 121, "Keep this to 120 characters or fewer."),
        ("context_tiers", ["lots"], "Give a whole number."),
        ("context_tiers", ["0", "9000000"], "Give a number from 0 to 2,000,000."),
        ("context_tiers", None, "Choose at least one context size."),
    ],
)
def test_a_bad_value_gets_one_sentence_at_its_field(field: str, typed: Any, sentence: str) -> None:
    form = forms.read(sent(**{field: typed}), KNOWN)
    assert form.errors == {field: sentence}
    assert form.spec is None


LOAD = {"mode": "load", "arrivals": "closed", "levels": "1, 8 64", "requests": "", "ramp_s": "0"}


def test_load_mode_becomes_the_load_of_the_spec() -> None:
    typed = {"requests": "40", "duration_s": "2.5", "ramp_s": "", "slo_ttft_ms": "500"}
    form = forms.read(sent(**LOAD | typed, stop_at_saturation="1"), KNOWN)
    assert form.spec is not None
    assert form.spec.load == LoadSpec(
        levels=(1, 8, 64), requests=40, duration_s=2.5, slo_ttft_ms=500, stop_at_saturation=True
    )
    assert forms.read(sent(**LOAD | {"mode": "sequential"}), KNOWN).spec is not None


def test_what_is_out_of_sight_does_not_count() -> None:
    load = forms.read(sent(**LOAD, runs="many"), KNOWN)
    assert load.spec is not None
    sequential = forms.read(sent(**LOAD | {"mode": "sequential", "levels": "many"}), KNOWN)
    assert sequential.spec is not None
    assert sequential.spec.load is None


@pytest.mark.parametrize(
    ("field", "typed", "sentence"),
    [
        ("levels", "", "Give at least one level."),
        ("levels", "1, lots", "Give a number."),
        ("levels", "0", "Give a number above 0."),
        ("levels", "4096", "Give a number up to 2,048."),
        ("levels", "1.5", "Give whole numbers of streams."),
        ("levels", " ".join(map(str, range(1, 18))), "Choose at most 16."),
        ("requests", "0", "Give a number from 1 to 100,000."),
        ("requests", "2.5", "Give a whole number."),
        ("duration_s", "0", "Give a number above 0."),
        ("ramp_s", "601", "Give a number from 0 to 600."),
        ("slo_ttft_ms", "soon", "Give a number."),
    ],
)
def test_a_bad_load_value_gets_one_sentence_at_its_field(
    field: str, typed: str, sentence: str
) -> None:
    form = forms.read(sent(**LOAD | {field: typed}), KNOWN)
    assert form.errors == {field: sentence}


@pytest.mark.parametrize(
    ("typed", "field", "sentence"),
    [
        ({"ask": "prompts", "prompts": ""}, "prompts",
         "Paste or choose a file with at least one prompt."),
        ({"ask": "prompts", "prompts": '{"prompt": "a"}\n{"prompt": }'}, "prompts",
         "Line 2: This is not a JSON object on one line."),
        ({"ask": "synthetic", "input_mean": "0", "output_mean": "5"}, "input_mean",
         "Give a number from 1 to 2,000,000."),
        ({"ask": "synthetic", "input_mean": "9", "output_mean": "5", "output_std": "x"},
         "output_std", "Give a whole number."),
        ({"recall": "1", "context_tiers": ["0"]}, "recall",
         "The fact is hidden in filler: choose a context size above 0."),
        ({"budget_usd": "0"}, "budget_usd", "Give a number above 0."),
        ({"cache": "lukewarm"}, "cache", "Input should be 'cold' or 'warm'."),
    ],
)  # fmt: skip
def test_a_bad_workload_gets_one_sentence_at_its_field(
    typed: dict[str, Any], field: str, sentence: str
) -> None:
    assert forms.read(sent(**typed), KNOWN).errors == {field: sentence}


def test_drawn_lengths_take_the_place_of_prompt_sizes_and_recall() -> None:
    lengths = {"input_mean": "900", "input_std": "", "output_mean": "64", "output_std": "8"}
    form = forms.read(sent(ask="synthetic", recall="1", prompt="", **lengths), KNOWN)
    assert form.spec is not None
    assert form.spec.synthetic == SyntheticSpec(input_mean=900, output_mean=64, output_std=8)
    assert (form.spec.context_tiers, form.spec.recall) == ((0,), False)


def test_no_model_and_an_unknown_model_are_said_at_the_models() -> None:
    assert forms.read(sent(target=None), KNOWN).errors == {"targets": "Choose at least one model."}
    lost = forms.read(sent(target=["demo/fast-small", "demo/gone"]), KNOWN)
    assert lost.errors == {"targets": forms.UNKNOWN_TARGET.format("demo/gone")}
    assert lost.spec is None


def test_several_mistakes_are_all_said_and_everything_typed_is_kept() -> None:
    form = forms.read(sent(runs="0", max_tokens="no", name="Kept"), KNOWN)
    assert set(form.errors) == {"runs", "max_tokens"}
    assert form.values["name"] == "Kept"
    assert form.values["max_tokens"] == "no"
    assert form.targets == {"demo/fast-small"}


SPECS = st.builds(
    BenchmarkSpec,
    name=st.just("") | st.from_regex(r"[a-z]{1,20}", fullmatch=True),
    targets=st.lists(st.sampled_from([FAST, DEEP]), min_size=1).map(tuple),
    prompt=st.from_regex(r"[A-Za-z][A-Za-z \n]{0,30}[a-z]", fullmatch=True),
    runs=st.integers(1, 1000),
    warmup=st.integers(0, 5),
    max_tokens=st.integers(1, 128_000),
    temperature=st.none() | st.floats(0, 2),
    context_tiers=st.lists(st.integers(0, 2_000_000), min_size=1, max_size=8).map(tuple),
    timeout_s=st.floats(1, 3600),
    retries=st.integers(0, 10),
    seed=st.integers(0, 2**31 - 1),
)
LIMITS = st.none() | st.floats(0.5, 60_000)
PROMPTS = st.lists(
    st.builds(PromptItem, prompt=st.from_regex(r"[a-z\"]{1,20}", fullmatch=True),
              max_tokens=st.none() | st.integers(1, 128_000)),
    min_size=1, max_size=4,
).map(tuple)  # fmt: skip
LENGTHS = st.builds(
    SyntheticSpec,
    input_mean=st.integers(1, 2_000_000),
    input_std=st.integers(0, 1_000),
    output_mean=st.integers(1, 128_000),
    output_std=st.integers(0, 1_000),
)
PLAIN = {
    "cache": st.sampled_from(["cold", "warm"]),
    "fixed_output": st.booleans(),
    "budget_usd": st.none() | st.floats(0.01, 1_000_000),
}
WORKLOADS: Any = st.one_of(
    st.fixed_dictionaries(PLAIN),
    st.fixed_dictionaries({"prompts": PROMPTS}),
    st.fixed_dictionaries({"synthetic": LENGTHS, "context_tiers": st.just((0,))}),
    st.fixed_dictionaries({"recall": st.just(True), "context_tiers": st.just((0, 1_000))}),
)
LOADS = st.builds(
    LoadSpec,
    arrivals=st.sampled_from(["constant", "poisson"]),
    levels=st.lists(st.floats(0.01, 2_048), min_size=1, max_size=8).map(tuple),
    requests=st.none() | st.integers(1, 100_000),
    duration_s=st.none() | st.floats(0.5, 3_600),
    ramp_s=st.floats(0, 600),
    stop_at_saturation=st.booleans(),
    slo_ttft_ms=LIMITS,
    slo_tpot_ms=LIMITS,
    slo_e2e_ms=LIMITS,
)


def can_be(spec: BenchmarkSpec) -> bool:
    """Whether the parts of a spec go together."""
    try:
        return BenchmarkSpec.model_validate(spec.model_dump()) == spec
    except ValidationError:
        return False


@given(SPECS, st.none() | LOADS, WORKLOADS)
def test_run_again_builds_the_same_spec(
    spec: BenchmarkSpec, load: LoadSpec | None, workload: dict[str, Any]
) -> None:
    spec = spec.model_copy(update=workload)
    if load is not None:
        spec = spec.model_copy(update={"load": load, "runs": 3})
    assume(can_be(spec))  # copies are not checked: a set at a large context is too much for load
    shown = forms.from_spec(spec)
    typed: MultiDict[str, str] = MultiDict(shown.values)
    typed.setlist("target", [str(ref) for ref in spec.targets])
    typed.setlist("context_tiers", list(shown.tiers))
    assert forms.read(typed, KNOWN).spec == spec


def test_run_again_says_which_model_is_gone() -> None:
    spec = BenchmarkSpec(targets=(FAST, TargetRef(provider="demo", model="gone")))
    form = forms.again(spec, KNOWN)
    assert form.errors == {"targets": forms.UNKNOWN_TARGET.format("demo/gone")}
    assert form.values["runs"] == "3"


def test_a_new_form_starts_from_the_installations_defaults() -> None:
    form = forms.blank({"max_tokens": 99, "temperature": 0.0, "prompt": "Count."})
    assert (form.values["max_tokens"], form.values["temperature"]) == ("99", "0")
    assert (form.values["prompt"], form.values["runs"], form.tiers) == ("Count.", "3", ("0",))


def test_offered_sizes_include_those_the_form_has() -> None:
    defaults = Defaults(context_tiers=(0, 1000))
    form = forms.read(sent(context_tiers=["7777", "junk", "9" * 5000]), KNOWN)
    assert forms.sizes(form, defaults) == [0, 1000, 7777]


def test_templates_stand_under_their_categories_in_the_files_order() -> None:
    def template(category: str, label: str) -> PromptTemplate:
        return PromptTemplate(category=category, label=label, prompt="x")

    templates = {"b": template("Code", "B"), "a": template("Text", "A"), "c": template("Code", "C")}
    found = forms.by_category(templates)
    assert [(name, [key for key, _ in items]) for name, items in found] == [
        ("Code", ["b", "c"]),
        ("Text", ["a"]),
    ]


def test_away_from_its_field_a_message_names_it() -> None:
    said = forms.with_label("max_tokens", "Give a number from 1 to 128,000.")
    assert said == "Most tokens out: give a number from 1 to 128,000."
    assert forms.with_label("targets", "Choose at least one model.") == "Choose at least one model."
