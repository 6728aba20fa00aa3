from __future__ import annotations

import pytest
from flask.testing import FlaskClient

from tests.webapp.conftest import HTMX, Person
from tests.webapp.settings_pages.conftest import acts, fresh
from webapp.models import ModelEntry, Provider
from webapp.settings_pages import store


def test_a_provider_shows_its_models_with_windows_and_prices(alice: Person, mine: Provider) -> None:
    ModelEntry.create(
        provider=mine,
        model_id="big",
        display_name="big",
        context_window=128_000,
        input_cost_per_mtok=0.5,
        output_cost_per_mtok=2.0,
        skip_params=["top_p"],
    )
    page = alice.get(f"/settings/providers/{mine.id}").text
    assert "128,000" in page
    assert "0.50" in page
    assert "2.00" in page
    assert "without top_p" in page
    assert "&lt;i&gt;Small&lt;/i&gt;" in page
    assert "<i>Small" not in page


def test_litellms_price_stands_in_where_none_is_set(alice: Person, acme: Provider) -> None:
    ModelEntry.create(
        provider=acme, model_id="mistral-large-latest", display_name="mistral-large-latest"
    )
    page = alice.get(f"/settings/providers/{acme.id}").text
    assert "0.50" in page
    assert "From LiteLLM's price list" in page


def test_a_model_is_added_by_hand(alice: Person, mine: Provider) -> None:
    data = {"model_id": " gpt-x ", "display_name": ""}
    answer = alice.post(f"/settings/providers/{mine.id}/models", data=data, headers=HTMX)
    assert answer.headers["HX-Redirect"] == f"/settings/providers/{mine.id}"
    row = ModelEntry.get(ModelEntry.model_id == "gpt-x")
    assert (row.display_name, row.enabled, row.position) == ("gpt-x", True, 1)
    assert acts() == ["model.add"]


@pytest.mark.parametrize("headers", [HTMX, {}])
def test_a_model_that_is_there_already_is_422(
    alice: Person, mine: Provider, headers: dict[str, str]
) -> None:
    data = {"model_id": "<i>small</i>", "display_name": "Again"}
    answer = alice.post(f"/settings/providers/{mine.id}/models", data=data, headers=headers)
    assert answer.status_code == 422
    assert "This provider has that model already." in answer.text
    assert 'value="Again"' in answer.text
    assert 'value="&lt;i&gt;small&lt;/i&gt;"' in answer.text


def test_a_full_provider_says_so(
    alice: Person, mine: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store, "MODELS_MAX", 1)
    answer = alice.post(
        f"/settings/providers/{mine.id}/models", data={"model_id": "b"}, headers=HTMX
    )
    assert answer.status_code == 422
    assert "A provider holds 1 models at most" in answer.text


def test_everything_about_a_model_can_be_edited(alice: Person, model: ModelEntry) -> None:
    page = alice.get(f"/settings/models/{model.id}")
    assert page.status_code == 200
    data = {
        "display_name": "Small one",
        "context_window": "8,192",
        "max_output_tokens": "1024",
        "input_cost_per_mtok": "0.15",
        "output_cost_per_mtok": "0.6",
        "skip_params": "temperature, top_p",
        "system_prompt": "Be brief.",
    }
    answer = alice.post(f"/settings/models/{model.id}", data=data, headers=HTMX)
    assert answer.headers["HX-Redirect"] == f"/settings/providers/{model.provider_id}"
    row = fresh(model)
    assert (row.display_name, row.context_window, row.max_output_tokens) == (
        "Small one",
        8192,
        1024,
    )
    assert (row.input_cost_per_mtok, row.output_cost_per_mtok) == (0.15, 0.6)
    assert row.skip_params == ["temperature", "top_p"]
    assert row.system_prompt == "Be brief."
    assert row.model_id == "<i>small</i>"
    assert acts() == ["model.edit"]


@pytest.mark.parametrize("headers", [HTMX, {}])
def test_a_bad_value_is_422_at_its_field_and_nothing_changes(
    alice: Person, model: ModelEntry, headers: dict[str, str]
) -> None:
    data = {"display_name": "<script>", "context_window": "0", "system_prompt": "</textarea>"}
    answer = alice.post(f"/settings/models/{model.id}", data=data, headers=headers)
    assert answer.status_code == 422
    assert 'id="context_window-err"' in answer.text
    assert "Give a whole number from 1 to 100,000,000" in answer.text
    assert 'value="&lt;script&gt;"' in answer.text
    assert "&lt;/textarea&gt;" in answer.text
    assert fresh(model).display_name == "<i>Small</i>"


def test_a_model_is_switched_off_and_on(alice: Person, model: ModelEntry) -> None:
    url = f"/settings/models/{model.id}/enabled"
    off = alice.post(f"{url}?enabled=off", headers=HTMX)
    assert fresh(model).enabled is False
    assert f'id="model-{model.id}"' in off.text
    assert ">Off<" in off.text
    on = alice.post(f"{url}?enabled=on")
    assert on.status_code == 303
    assert fresh(model).enabled is True
    assert acts() == ["model.off", "model.on"]


def test_neither_on_nor_off_is_422(alice: Person, model: ModelEntry) -> None:
    assert alice.post(f"/settings/models/{model.id}/enabled").status_code == 422
    assert fresh(model).enabled is True


def test_a_deleted_model_is_gone(alice: Person, model: ModelEntry) -> None:
    answer = alice.post(f"/settings/models/{model.id}/delete", headers=HTMX)
    assert answer.headers["HX-Redirect"] == f"/settings/providers/{model.provider_id}"
    assert ModelEntry.get_or_none(ModelEntry.id == model.id) is None
    assert acts() == ["model.delete"]


TAILS = ("", "/enabled?enabled=off", "/delete")


def test_somebody_elses_model_is_404_even_for_an_administrator(
    model: ModelEntry, charlie: Person, bob: Person
) -> None:
    for person in (charlie, bob):
        assert person.get(f"/settings/models/{model.id}").status_code == 404
        for tail in TAILS:
            assert person.post(f"/settings/models/{model.id}{tail}").status_code == 404, tail
    assert fresh(model).enabled is True


def test_a_model_that_is_not_there_is_404(alice: Person) -> None:
    for tail in TAILS:
        for number in ("999999", "x"):
            assert alice.post(f"/settings/models/{number}{tail}").status_code == 404, tail


def test_a_get_is_the_wrong_method(alice: Person, model: ModelEntry) -> None:
    for tail in TAILS[1:]:
        assert alice.get(f"/settings/models/{model.id}{tail}").status_code == 405, tail


def test_nobody_is_sent_to_the_login(nobody: FlaskClient, model: ModelEntry) -> None:
    for tail in TAILS:
        location = nobody.post(f"/settings/models/{model.id}{tail}").location
        assert location.startswith("/login"), tail


def test_the_account_page_shows_who_one_is_and_the_theme(alice: Person) -> None:
    page = alice.get("/settings/account").text
    assert "alice@example.org" in page
    assert 'id="theme-here"' in page
