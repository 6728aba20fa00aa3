from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from tests.webapp.conftest import HTMX, Person
from tests.webapp.settings_pages.conftest import CONFIG, KEY, acts, finish, fresh
from webapp import create_app, vault
from webapp.models import ApiKey, Job, ModelEntry, Provider
from webapp.settings import Settings
from webapp.settings_pages import store

OWN = {"name": "Office", "base_url": "http://127.0.0.1:9300/v1", "api_key": KEY}


def own(alice: Person) -> Provider:
    row: Provider = Provider.get(Provider.user == alice.user.id, Provider.origin == "user")
    return row


def test_the_list_shows_address_models_and_key_of_each(alice: Person, mine: Provider) -> None:
    ModelEntry.create(provider=mine, model_id="off", display_name="off", enabled=False)
    page = alice.get("/settings/providers").text
    assert "http://127.0.0.1:8502/v1" in page
    assert "&lt;b&gt;Mine&lt;/b&gt;" in page
    assert "<b>Mine" not in page
    assert "1 of 2" in page
    assert "Add a key" in page


def test_a_start_gives_everybody_what_is_new_in_the_file(
    alice: Person, charlie: Person, settings: Settings, tmp_path: Path
) -> None:
    grown = tmp_path / "grown.yaml"
    grown.write_text(CONFIG + "  beta: {display_name: Beta, model_id_prefix: xai}\n")
    create_app(replace(settings, config_file=grown))
    assert "Beta" in alice.get("/settings/providers").text
    assert Provider.select().where(Provider.user == charlie.user.id).count() == 3


def test_litellms_providers_are_offered_to_search(alice: Person) -> None:
    page = alice.get("/settings/providers").text
    assert '<option value="groq">Groq AI</option>' in page
    assert 'value="bedrock"' not in page
    assert page.count("<option") > 80


def test_an_address_is_added_with_its_key_and_asked_for_its_models(
    alice: Person, settings: Settings
) -> None:
    answer = alice.post("/settings/providers", data=OWN, headers=HTMX)
    row = own(alice)
    assert answer.status_code == 204
    assert answer.headers["HX-Redirect"] == f"/settings/providers/{row.id}"
    assert (row.key, row.model_id_prefix, row.api_base) == (
        "office", "openai/", "http://127.0.0.1:9300/v1",
    )  # fmt: skip
    assert vault.decrypt(settings, ApiKey.get().token) == KEY
    job = Job.get()
    assert (job.kind, job.lane, job.subject) == ("model_list", "quick", row.id)
    assert acts() == ["provider.add", "key.set"]
    page = alice.get(f"/settings/providers/{row.id}").text
    assert "Office is added." in page
    assert f'hx-get="/settings/checks/{job.id}"' in page


def test_a_provider_of_litellm_is_added_by_its_name(alice: Person) -> None:
    answer = alice.post("/settings/providers", data={"litellm": "groq"})
    row = own(alice)
    assert (answer.status_code, answer.location) == (303, f"/settings/providers/{row.id}")
    assert (row.key, row.model_id_prefix, row.api_base) == ("groq-ai", "groq/", None)


def test_keys_of_providers_never_collide(alice: Person) -> None:
    for name in ("Acme", "Acme", "Äcmé!", "猫"):
        alice.post("/settings/providers", data=OWN | {"name": name})
    rows = Provider.select().where(Provider.origin == "user").order_by(Provider.id)
    assert [row.key for row in rows] == ["acme-2", "acme-3", "acme-4", "provider"]


@pytest.mark.parametrize("headers", [HTMX, {}])
def test_a_bad_address_is_422_with_what_was_typed(alice: Person, headers: dict[str, str]) -> None:
    typed = {"name": "<b>Office</b>", "base_url": "office/v1", "api_key": KEY}
    answer = alice.post("/settings/providers", data=typed, headers=headers)
    assert answer.status_code == 422
    assert "Give an address that starts with http:// or https://." in answer.text
    assert 'value="office/v1"' in answer.text
    assert "&lt;b&gt;Office&lt;/b&gt;" in answer.text
    assert KEY not in answer.text
    assert answer.text.startswith("<!doctype") is not bool(headers)
    assert Provider.select().where(Provider.origin == "user").count() == 0


def test_a_full_house_says_so(alice: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store, "PROVIDERS_MAX", 2)
    answer = alice.post("/settings/providers", data=OWN, headers=HTMX)
    assert answer.status_code == 422
    assert "You have 2 providers; delete one first." in answer.text


def test_a_vault_that_cannot_encrypt_adds_nothing(
    alice: Person, app: Flask, settings: Settings
) -> None:
    app.extensions["studio"] = replace(settings, fernet_keys=("broken",))
    answer = alice.post("/settings/providers", data=OWN, headers=HTMX)
    assert answer.status_code == 422
    assert Provider.select().where(Provider.origin == "user").count() == 0


def test_a_private_address_is_refused_where_the_operator_says_so(
    alice: Person, app: Flask, settings: Settings
) -> None:
    app.extensions["studio"] = replace(settings, allow_private_endpoints=False)
    answer = alice.post("/settings/providers", data=OWN, headers=HTMX)
    assert answer.status_code == 422
    assert "ALLOW_PRIVATE_ENDPOINTS" in answer.text


def test_name_and_address_can_be_changed(alice: Person, mine: Provider) -> None:
    data = {"name": "Lab", "base_url": "http://127.0.0.1:9300/v2"}
    answer = alice.post(f"/settings/providers/{mine.id}", data=data, headers=HTMX)
    assert answer.status_code == 204
    row = fresh(mine)
    assert (row.display_name, row.api_base, row.key) == ("Lab", "http://127.0.0.1:9300/v2", "mine")
    assert acts() == ["provider.edit"]


def test_a_key_does_not_follow_to_another_host(
    alice: Person, mine: Provider, settings: Settings
) -> None:
    store_key = {"api_key": KEY}
    alice.post(f"/settings/keys/{mine.id}", data=store_key)
    same_host = {"name": "Lab", "base_url": "http://127.0.0.1:9300/other"}
    alice.post(f"/settings/providers/{mine.id}", data=same_host)
    assert ApiKey.select().count() == 1
    alice.post(f"/settings/providers/{mine.id}", data=same_host | {"base_url": "http://h.example"})
    assert ApiKey.select().count() == 0
    assert "its key is forgotten" in alice.get(f"/settings/providers/{mine.id}").text


def test_the_address_of_the_file_cannot_be_changed(alice: Person, acme: Provider) -> None:
    data = {"name": "Mine now", "base_url": "http://evil.example/v1"}
    alice.post(f"/settings/providers/{acme.id}", data=data)
    assert (fresh(acme).display_name, fresh(acme).api_base) == ("Mine now", None)
    assert 'name="base_url"' not in alice.get(f"/settings/providers/{acme.id}").text


def test_a_bad_change_is_422_with_what_was_typed(alice: Person, mine: Provider) -> None:
    for headers in (HTMX, {}):
        data = {"name": "", "base_url": "http://[::1"}
        answer = alice.post(f"/settings/providers/{mine.id}", data=data, headers=headers)
        assert answer.status_code == 422
        assert "Fill this in." in answer.text
        assert 'value="http://[::1"' in answer.text
    assert fresh(mine).display_name == "<b>Mine</b>"


def test_a_deleted_provider_takes_models_and_key_along(alice: Person, mine: Provider) -> None:
    alice.post(f"/settings/keys/{mine.id}", data={"api_key": KEY})
    page = alice.get(f"/settings/providers/{mine.id}").text
    assert "goes with its 1 model and its key" in page
    answer = alice.post(f"/settings/providers/{mine.id}/delete", headers=HTMX)
    assert answer.headers["HX-Redirect"] == "/settings/providers"
    assert Provider.get_or_none(Provider.id == mine.id) is None
    assert ModelEntry.select().where(ModelEntry.provider == mine.id).count() == 0
    assert ApiKey.select().count() == 0
    assert acts()[-1] == "provider.delete"


def test_a_provider_of_the_file_can_be_brought_back(alice: Person, acme: Provider) -> None:
    assert "Bring back" not in alice.get("/settings/providers").text
    alice.post(f"/settings/providers/{acme.id}/delete")
    assert '<button class="btn" name="key" value="acme">' in alice.get("/settings/providers").text
    answer = alice.post("/settings/providers/restore", data={"key": "acme"})
    assert (answer.status_code, answer.location) == (303, "/settings/providers")
    assert Provider.get(Provider.key == "acme").origin == "config"
    assert acts()[-1] == "provider.restore"


@pytest.mark.parametrize("key", ["acme", "nothing", ""])
def test_what_is_there_or_unknown_cannot_be_brought_back(
    alice: Person, acme: Provider, key: str
) -> None:
    assert alice.post("/settings/providers/restore", data={"key": key}).status_code == 404


def test_a_model_list_is_fetched_and_ticked(alice: Person, mine: Provider) -> None:
    waiting = alice.post(f"/settings/providers/{mine.id}/fetch", headers=HTMX)
    assert 'hx-trigger="load delay:400ms"' in waiting.text
    job = Job.get()
    listed = [
        {"id": "<u>a</u>", "name": "A", "context_window": 8192, "max_output_tokens": 1024},
        {"id": "b", "name": "b", "context_window": None, "max_output_tokens": None},
        {"id": "<i>small</i>", "name": "x", "context_window": None, "max_output_tokens": None},
    ]
    finish(job, result={"source": "provider", "models": listed, "latency_ms": 12.5, "note": "",
                        "left_out": 2, "cut": False})  # fmt: skip
    found = alice.get(f"/settings/checks/{job.id}", headers=HTMX).text
    assert found.count('type="checkbox" name="model"') == 2
    assert "&lt;u&gt;a&lt;/u&gt;" in found
    assert "<u>a" not in found
    assert "from the provider, 12.50 ms" in found
    assert "2 that do not chat" in found
    assert "1 you have already" in found

    data = {"check": job.id, "model": ["<u>a</u>", "b", "not on the list"]}
    answer = alice.post(f"/settings/providers/{mine.id}/import", data=data, headers=HTMX)
    assert answer.headers["HX-Redirect"] == f"/settings/providers/{mine.id}"
    rows = ModelEntry.select().where(ModelEntry.provider == mine.id).order_by(ModelEntry.id)
    assert [(r.model_id, r.display_name, r.context_window, r.max_output_tokens) for r in rows] == [
        ("<i>small</i>", "<i>Small</i>", None, None),
        ("<u>a</u>", "A", 8192, 1024),
        ("b", "b", None, None),
    ]
    assert acts()[-1] == "model.add"
    again = alice.get(f"/settings/providers/{mine.id}").text
    assert "2 models added." in again
    assert "data-picklist" not in again
    assert Job.select().count() == 0


def test_a_list_without_news_says_so(alice: Person, mine: Provider) -> None:
    for listed, sentence in (
        ([{"id": "<i>small</i>", "name": "x"}], "lists is here already."),
        ([], "&lt;b&gt;Mine&lt;/b&gt; lists no models."),
    ):
        alice.post(f"/settings/providers/{mine.id}/fetch", headers=HTMX)
        job = Job.get()
        finish(job, result={"source": "provider", "models": listed, "latency_ms": 1.0})
        assert sentence in alice.get(f"/settings/checks/{job.id}", headers=HTMX).text


def test_a_missing_key_is_said_until_a_list_says_more(alice: Person, acme: Provider) -> None:
    sentence = "Acme has no key. Add one in Settings → API keys."
    assert sentence in alice.get(f"/settings/providers/{acme.id}").text
    alice.post(f"/settings/providers/{acme.id}/fetch", headers=HTMX)
    assert sentence not in alice.get(f"/settings/providers/{acme.id}").text


def test_litellms_list_is_labelled_with_the_reason(alice: Person, acme: Provider) -> None:
    alice.post(f"/settings/providers/{acme.id}/fetch", headers=HTMX)
    job = Job.get()
    listed = [{"id": "x", "name": "x", "context_window": None, "max_output_tokens": None}]
    finish(job, result={"source": "litellm", "models": listed, "latency_ms": None,
                        "note": "Acme has no key.", "left_out": 0, "cut": False})  # fmt: skip
    found = alice.get(f"/settings/checks/{job.id}", headers=HTMX).text
    assert "from LiteLLM&#39;s list, not from the provider" in found
    assert "Acme has no key." in found


def test_a_failed_list_is_one_sentence(alice: Person, mine: Provider) -> None:
    alice.post(f"/settings/providers/{mine.id}/fetch", headers=HTMX)
    finish(Job.get(), state="failed", error="Mine cannot be reached: <refused>.")
    found = alice.get(f"/settings/checks/{Job.get().id}", headers=HTMX).text
    assert "Mine cannot be reached: &lt;refused&gt;." in found
    assert "hx-get" not in found


def test_nothing_ticked_says_so(alice: Person, mine: Provider) -> None:
    alice.post(f"/settings/providers/{mine.id}/fetch", headers=HTMX)
    finish(Job.get(), result={"source": "provider", "models": [], "latency_ms": 1.0})
    answer = alice.post(
        f"/settings/providers/{mine.id}/import", data={"check": Job.get().id}, headers=HTMX
    )
    assert answer.status_code == 422
    assert "Tick at least one model of the list." in answer.headers["HX-Trigger"]


def test_an_id_that_could_lead_elsewhere_is_not_imported(alice: Person, mine: Provider) -> None:
    alice.post(f"/settings/providers/{mine.id}/fetch", headers=HTMX)
    evil = {"id": "http://evil.example/m", "name": "m", "context_window": None,
            "max_output_tokens": None}  # fmt: skip
    finish(Job.get(), result={"source": "provider", "models": [evil], "latency_ms": 1.0})
    data = {"check": Job.get().id, "model": [evil["id"]]}
    answer = alice.post(f"/settings/providers/{mine.id}/import", data=data, headers=HTMX)
    assert answer.status_code == 422
    assert ModelEntry.select().where(ModelEntry.provider == mine.id).count() == 1


def test_a_list_of_another_provider_or_user_cannot_be_imported(
    alice: Person, mine: Provider, acme: Provider, charlie: Person
) -> None:
    alice.post(f"/settings/providers/{acme.id}/fetch", headers=HTMX)
    listed = [{"id": "x", "name": "x", "context_window": None, "max_output_tokens": None}]
    finish(Job.get(), result={"source": "provider", "models": listed, "latency_ms": 1.0})
    data = {"check": Job.get().id, "model": ["x"]}
    assert alice.post(f"/settings/providers/{mine.id}/import", data=data).status_code == 404
    theirs = Provider.create(
        user=charlie.user, key="c", display_name="C", model_id_prefix="openai/"
    )
    assert charlie.post(f"/settings/providers/{theirs.id}/import", data=data).status_code == 404
    for check in ("", "x", "999999"):
        bad = {"check": check, "model": ["x"]}
        assert alice.post(f"/settings/providers/{acme.id}/import", data=bad).status_code == 404


POSTS = ("", "/delete", "/fetch", "/models", "/import")


def test_somebody_elses_provider_is_404_even_for_an_administrator(
    mine: Provider, charlie: Person, bob: Person
) -> None:
    data = {"name": "Taken", "base_url": "http://evil.example", "model_id": "x"}
    for person in (charlie, bob):
        assert person.get(f"/settings/providers/{mine.id}").status_code == 404
        for tail in POSTS:
            answer = person.post(f"/settings/providers/{mine.id}{tail}", data=data)
            assert answer.status_code == 404, tail
    assert fresh(mine).display_name == "<b>Mine</b>"
    assert Job.select().count() == 0


def test_a_provider_that_is_not_there_is_404(alice: Person) -> None:
    assert alice.get("/settings/providers/999999").status_code == 404
    for tail in POSTS:
        assert alice.post(f"/settings/providers/999999{tail}").status_code == 404, tail


def test_a_get_is_the_wrong_method(alice: Person, mine: Provider) -> None:
    for tail in POSTS[1:]:
        assert alice.get(f"/settings/providers/{mine.id}{tail}").status_code == 405, tail


def test_nobody_is_sent_to_the_login(nobody: FlaskClient, mine: Provider) -> None:
    for tail in POSTS:
        answer = nobody.post(f"/settings/providers/{mine.id}{tail}")
        assert answer.status_code == 303, tail
        assert answer.location.startswith("/login"), tail


def test_charlie_sees_nothing_of_alices(mine: Provider, charlie: Person) -> None:
    for url in ("/settings/keys", "/settings/providers"):
        page = charlie.get(url).text
        assert "No provider yet" in page
        assert "Mine" not in page


def test_the_web_process_imports_neither_litellm_nor_the_engines_llm_room() -> None:
    import subprocess
    import sys

    code = (
        "import sys, webapp.settings_pages.views as v\n"
        "found = [m for m in sys.modules if m.split('.')[0] == 'litellm' or m == 'httpx'"
        " or m.startswith('engine.llm')]\n"
        "sys.exit(str(found) if found else 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()
