from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from webapp.models import ModelEntry, Provider
from webapp.settings_pages import fields
from webapp.settings_pages.fields import Refused
from webapp.settings_pages.forms import (
    Form,
    KeyForm,
    ModelForm,
    NewModelForm,
    NewProviderForm,
    ProviderForm,
)


def new_provider(allow_private: bool = True, **typed: str) -> NewProviderForm:
    form = NewProviderForm(typed, allow_private)
    form.is_valid()
    return form


def entry(**fields: Any) -> ModelEntry:
    return ModelEntry(model_id="m", display_name="M", **fields)


def edited(**typed: str) -> ModelForm:
    form = ModelForm(typed, entry())
    form.is_valid()
    return form


def own_provider(**fields: Any) -> Provider:
    values = {"key": "acme", "display_name": "Acme", "model_id_prefix": "openai/"}
    return Provider(**values | fields)


# Keys


def test_a_key_loses_the_blanks_around_it() -> None:
    form = KeyForm({"api_key": "  sk-0123456789\n"})
    assert form.is_valid()
    assert form.cleaned["api_key"] == "sk-0123456789"


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ("", "Fill this in."),
        ("two words", "A key has no spaces and only plain characters. Copy it again."),
        ("schlüssel", "A key has no spaces and only plain characters. Copy it again."),
        ("line\nbreak", "Use one line of plain text."),
        ("x" * 4_097, "Keep the key to 4,096 characters or fewer."),
        ("os.environ/OPENAI_API_KEY", "Give the key itself. Names of environment variables"),
    ],
)
def test_a_key_that_cannot_be_one_is_refused(typed: str, sentence: str) -> None:
    form = KeyForm({"api_key": typed})
    assert not form.is_valid()
    assert form.errors["api_key"].startswith(sentence)


def test_a_typed_key_is_never_shown_again_and_the_rest_is_kept() -> None:
    form = new_provider(name="Acme", base_url="nonsense", api_key="sk-0123456789")
    assert "base_url" in form.errors
    assert form.values == {"litellm": "", "name": "Acme", "base_url": "nonsense", "api_key": ""}


# New providers


def test_an_address_alone_makes_an_openai_compatible_provider() -> None:
    form = new_provider(base_url=" http://127.0.0.1:9300/v1/ ")
    assert form.errors == {}
    assert form.prefix == "openai/"
    assert form.cleaned["base_url"] == "http://127.0.0.1:9300/v1"
    assert form.cleaned["name"] == "127.0.0.1:9300"
    assert form.cleaned["api_key"] is None


@pytest.mark.parametrize("typed", ["groq", "groq/", "Groq AI", "groq ai"])
def test_a_provider_of_litellm_is_found_by_prefix_and_by_name(typed: str) -> None:
    form = new_provider(litellm=typed)
    assert form.errors == {}
    assert (form.prefix, form.cleaned["name"]) == ("groq/", "Groq AI")
    assert form.cleaned["base_url"] is None


def test_what_litellm_does_not_know_is_refused() -> None:
    form = new_provider(litellm="nothing-like-it")
    assert form.errors == {"litellm": "Choose a provider of the list, or leave this empty."}


@pytest.mark.parametrize("typed", ["bedrock", "vertex_ai", "sagemaker", "vllm", "github_copilot"])
def test_a_provider_that_would_use_this_servers_own_login_is_not_offered(typed: str) -> None:
    assert "litellm" in new_provider(litellm=typed, base_url="http://127.0.0.1/v1").errors


def test_a_provider_without_public_address_asks_for_one() -> None:
    form = new_provider(litellm="hosted_vllm")
    assert form.errors == {"base_url": "Hosted VLLM has no public address. Give yours."}


def test_nothing_typed_asks_for_an_address() -> None:
    assert new_provider().errors == {"base_url": "Give the address, or choose a provider."}


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("https://api.example.org/v1/chat/completions", "https://api.example.org/v1"),
        ("http://[::1]:8080/v1/", "http://[::1]:8080/v1"),
        ("https://Host.example", "https://Host.example"),
    ],
)
def test_an_address_is_kept_without_what_is_added_to_it(typed: str, kept: str) -> None:
    assert new_provider(base_url=typed).cleaned["base_url"] == kept


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ("host.example/v1", "Give an address that starts with http:// or https://."),
        ("ftp://host.example", "Give an address that starts with http:// or https://."),
        ("javascript:alert(1)", "Give an address that starts with http:// or https://."),
        ("http://", "Give an address that starts with http:// or https://."),
        ("http://host.example:0/v1", "Give an address that starts with http:// or https://."),
        ("http://host.example:99999/v1", "This is no address."),
        ("http://[::1", "This is no address."),
        ("https://me:secret@host.example/v1", "Leave user and password out of the address"),
        ("https://host.example/v1?key=secret", "Leave out everything from the ? or # on."),
        ("https://host.example/" + "x" * 500, "Keep the address to 500 characters"),
        ("http://169.254.169.254/latest", "169.254.169.254 is a cloud metadata address"),
    ],
)
def test_an_address_that_cannot_be_one_is_refused(typed: str, sentence: str) -> None:
    assert new_provider(base_url=typed).errors["base_url"].startswith(sentence)


@pytest.mark.parametrize("host", ["127.0.0.1", "10.0.0.1", "localhost", "[::1]", "[fd00::1]"])
def test_a_private_address_is_refused_where_the_operator_says_so(host: str) -> None:
    refused = new_provider(allow_private=False, base_url=f"http://{host}:9300/v1")
    assert "ALLOW_PRIVATE_ENDPOINTS" in refused.errors["base_url"]
    assert new_provider(allow_private=True, base_url=f"http://{host}:9300/v1").errors == {}


def test_markup_in_a_name_is_a_name() -> None:
    assert new_provider(name="<b>Acme</b>", litellm="groq").cleaned["name"] == "<b>Acme</b>"


# A provider's own form


def test_an_address_of_ones_own_cannot_be_emptied() -> None:
    row = own_provider(api_base="http://127.0.0.1:9300/v1")
    form = ProviderForm({"name": "Acme", "base_url": ""}, row, allow_private=True)
    assert not form.is_valid()
    assert form.errors == {"base_url": "Fill this in."}


def test_the_address_of_the_file_is_not_the_users_to_change() -> None:
    row = own_provider(origin="config")
    form = ProviderForm({"name": "Mine", "base_url": "http://evil.example"}, row, True)
    assert form.is_valid()
    assert form.cleaned == {"name": "Mine", "base_url": None}


def test_an_untouched_form_shows_the_row() -> None:
    row = own_provider(api_base="http://127.0.0.1:9300/v1")
    form = ProviderForm(None, row, allow_private=True)
    assert form.values == {"name": "Acme", "base_url": "http://127.0.0.1:9300/v1"}


# Models


def test_a_model_by_hand_needs_an_id_and_no_name() -> None:
    form = NewModelForm({"model_id": " gpt-x "})
    assert form.is_valid()
    assert form.cleaned == {"model_id": "gpt-x", "display_name": "gpt-x"}


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ("", "Fill this in."),
        ("there", "This provider has that model already."),
        ("http://evil.example/m", "Give the id as the provider writes it"),
        ("a?b", "A model id has no ? and no #."),
        ("x" * 201, "Keep this to 200 characters or fewer."),
    ],
)
def test_a_model_id_that_cannot_be_one_is_refused(typed: str, sentence: str) -> None:
    form = NewModelForm({"model_id": typed}, taken={"there"})
    assert not form.is_valid()
    assert form.errors["model_id"].startswith(sentence)


def test_a_model_form_returns_the_real_types() -> None:
    form = edited(
        display_name="My model",
        context_window="128,000",
        max_output_tokens="16 384",
        input_cost_per_mtok="$0.15",
        output_cost_per_mtok="0",
        skip_params="top_p, stop stop;seed",
        system_prompt="Be brief.\r\nAlways.",
    )
    assert form.errors == {}
    assert form.cleaned == {
        "display_name": "My model",
        "context_window": 128_000,
        "max_output_tokens": 16_384,
        "input_cost_per_mtok": 0.15,
        "output_cost_per_mtok": 0.0,
        "skip_params": ["top_p", "stop", "seed"],
        "system_prompt": "Be brief.\nAlways.",
    }


def test_empty_fields_are_unknown_and_never_zero() -> None:
    cleaned = edited().cleaned
    assert cleaned["display_name"] == "m"
    assert [cleaned[n] for n in ("context_window", "max_output_tokens")] == [None, None]
    assert [cleaned[n] for n in ("input_cost_per_mtok", "output_cost_per_mtok")] == [None, None]
    assert cleaned["skip_params"] == []


@pytest.mark.parametrize(
    ("field", "typed", "sentence"),
    [
        ("context_window", "0", "Give a whole number from 1 to 100,000,000"),
        ("context_window", "-5", "Give a whole number from 1"),
        ("context_window", "1.5", "Give a whole number from 1"),
        ("context_window", "12,34", "Give a whole number from 1"),
        ("context_window", "many", "Give a whole number from 1"),
        ("context_window", "9" * 40, "Give a whole number from 1"),
        ("context_window", "١٢٣", "Give a whole number from 1"),
        ("input_cost_per_mtok", "-1", "Give a price from 0"),
        ("input_cost_per_mtok", "nan", "Give a price from 0"),
        ("output_cost_per_mtok", "inf", "Give a price from 0"),
        ("output_cost_per_mtok", "cheap", "Give a price in USD like 0.15"),
        ("skip_params", "top_p, <script>", "'<script>' is no parameter name"),
        ("skip_params", " ".join(f"p{i}" for i in range(41)), "Give at most 40 names."),
        ("system_prompt", "x" * 500_001, "Keep this to 500,000 characters or fewer."),
        ("display_name", "x" * 201, "Keep this to 200 characters or fewer."),
    ],
)
def test_a_bad_value_is_a_sentence_at_its_field_and_stays_typed(
    field: str, typed: str, sentence: str
) -> None:
    form = edited(**{field: typed})
    assert form.errors[field].startswith(sentence)
    assert list(form.errors) == [field]
    assert form.values[field] == typed


def test_the_output_fits_into_the_window() -> None:
    form = edited(context_window="1000", max_output_tokens="1001")
    assert form.errors == {"max_output_tokens": "This is more than the context window."}


def test_what_a_form_shows_it_takes_back_unchanged() -> None:
    row = entry(
        context_window=8192, input_cost_per_mtok=0.075, skip_params=["a", "b"], system_prompt="Hi"
    )
    shown = ModelForm(None, row).values
    again = ModelForm(shown, row)
    assert again.is_valid()
    for name in ModelForm.names:
        assert again.cleaned[name] == getattr(row, name)


@given(value=st.floats(min_value=0, max_value=1_000_000))
def test_a_price_survives_being_shown_and_typed(value: float) -> None:
    shown = ModelForm(None, entry(input_cost_per_mtok=value)).values["input_cost_per_mtok"]
    assert math.isclose(fields.price(shown) or 0.0, value, rel_tol=1e-9, abs_tol=1e-300)


def refusal(read: Callable[[str], object], typed: str) -> str:
    """The sentence of a refusal, "" when the text was taken."""
    try:
        read(typed.strip())
    except Refused as refused:
        return str(refused)
    return ""


@given(typed=st.text())
def test_no_text_breaks_a_field(typed: str) -> None:
    for read in (
        lambda raw: fields.whole_number(raw, 10),
        fields.price,
        fields.api_key,
        lambda raw: fields.base_url(raw, allow_private=True),
    ):
        assert refusal(read, typed)[-1:] in ("", ".")


def test_a_form_without_a_cleaner_cannot_be_used() -> None:
    class Broken(Form):
        names = ("unknown",)

    with pytest.raises(AttributeError):
        Broken({"unknown": "x"}).is_valid()
