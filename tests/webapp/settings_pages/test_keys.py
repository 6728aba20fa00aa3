from __future__ import annotations

import logging
from dataclasses import replace

import pytest
from flask import Flask
from flask.testing import FlaskClient

from tests.webapp.conftest import HTMX, Person
from tests.webapp.settings_pages.conftest import KEY, acts, finish, fresh
from webapp import vault
from webapp.models import ApiKey, AuditEntry, Job, ModelEntry, Provider
from webapp.settings import Settings


def stored(settings: Settings, provider: Provider) -> str | None:
    row = ApiKey.get_or_none(ApiKey.provider == provider.id)
    return None if row is None else vault.decrypt(settings, row.token)


def test_settings_begin_with_the_keys(alice: Person) -> None:
    answer = alice.get("/settings")
    assert (answer.status_code, answer.location) == (303, "/settings/keys")


def test_each_provider_has_a_row_that_says_whose_key_is_used(
    alice: Person, mine: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = alice.get("/settings/keys").text
    assert page.index("Demo (simulated)") < page.index("Acme") < page.index("&lt;b&gt;Mine")
    assert page.count("No key needed") == 2
    assert page.count("No key yet") == 1
    monkeypatch.setenv("SETTINGS_PAGES_TEST_KEY", "sk-operator-0123456789")
    page = alice.get("/settings/keys").text
    assert "The server's key is used" in page
    assert "sk-operator" not in page


def test_a_saved_key_is_encrypted_and_only_its_end_is_shown(
    alice: Person, acme: Provider, settings: Settings
) -> None:
    answer = alice.post(f"/settings/keys/{acme.id}", data={"api_key": f" {KEY} "}, headers=HTMX)
    assert answer.status_code == 200
    assert f'id="key-{acme.id}"' in answer.text
    assert "cdef" in answer.text
    assert KEY not in answer.text
    assert "The key of Acme is saved." in answer.headers["HX-Trigger"]
    assert stored(settings, acme) == KEY
    assert KEY.encode() not in settings.database_path.read_bytes()
    assert acts()[-1] == "key.set"


def test_without_htmx_the_browser_goes_back_to_the_page(alice: Person, acme: Provider) -> None:
    answer = alice.post(f"/settings/keys/{acme.id}", data={"api_key": KEY})
    assert (answer.status_code, answer.location) == (303, "/settings/keys")
    assert "The key of Acme is saved." in alice.get("/settings/keys").text


def test_a_second_key_takes_the_place_of_the_first(
    alice: Person, acme: Provider, settings: Settings
) -> None:
    for text in (KEY, "sk-alice-second-0123456789"):
        alice.post(f"/settings/keys/{acme.id}", data={"api_key": text})
    assert stored(settings, acme) == "sk-alice-second-0123456789"
    assert ApiKey.select().count() == 1


def test_a_short_key_shows_nothing_of_itself(alice: Person, acme: Provider) -> None:
    alice.post(f"/settings/keys/{acme.id}", data={"api_key": "abc123"})
    assert ApiKey.get().last4 == ""
    assert "c123" not in alice.get("/settings/keys").text


@pytest.mark.parametrize("headers", [HTMX, {}])
def test_a_bad_key_is_422_with_a_sentence_and_is_not_echoed(
    alice: Person, acme: Provider, headers: dict[str, str]
) -> None:
    typed = {"api_key": "pasted wrong words"}
    answer = alice.post(f"/settings/keys/{acme.id}", data=typed, headers=headers)
    assert answer.status_code == 422
    assert "A key has no spaces" in answer.text
    assert 'aria-invalid="true"' in answer.text
    assert "pasted wrong words" not in answer.text
    assert answer.text.startswith("<!doctype") is not bool(headers)
    assert ApiKey.select().count() == 0


def test_a_vault_without_key_says_so_at_the_field(
    alice: Person, acme: Provider, app: Flask, settings: Settings
) -> None:
    app.extensions["studio"] = replace(settings, fernet_keys=("broken",))
    answer = alice.post(f"/settings/keys/{acme.id}", data={"api_key": KEY}, headers=HTMX)
    assert answer.status_code == 422
    assert "FERNET_KEY is not a Fernet key" in answer.text


def test_a_deleted_key_is_gone(alice: Person, acme: Provider, settings: Settings) -> None:
    alice.post(f"/settings/keys/{acme.id}", data={"api_key": KEY})
    answer = alice.post(f"/settings/keys/{acme.id}/delete", headers=HTMX)
    assert "No key yet" in answer.text
    assert stored(settings, acme) is None
    assert acts()[-1] == "key.delete"


def test_a_test_is_one_fragment_with_three_states(alice: Person, acme: Provider) -> None:
    waiting = alice.post(f"/settings/keys/{acme.id}/test", headers=HTMX)
    job = Job.get()
    assert (job.kind, job.lane, job.spec["provider"]) == ("key_test", "quick", "acme")
    poll = f'hx-get="/settings/checks/{job.id}"'
    assert poll in waiting.text
    assert 'hx-trigger="load delay:400ms"' in waiting.text
    assert poll in alice.get(f"/settings/checks/{job.id}", headers=HTMX).text

    finish(job, result={"ok": True, "text": "Acme <answers>.", "latency_ms": 211.7})
    done = alice.get(f"/settings/checks/{job.id}", headers=HTMX).text
    assert "Works" in done
    assert "212" in done
    assert "Acme &lt;answers&gt;." in done
    assert "hx-get" not in done

    finish(job, result={"ok": False, "text": "Acme refused the key.", "latency_ms": None})
    refused = alice.get(f"/settings/checks/{job.id}", headers=HTMX).text
    assert "Does not work" in refused
    assert "Acme refused the key." in refused

    finish(job, state="failed", error="The worker stopped <responding>.")
    failed = alice.get(f"/settings/checks/{job.id}", headers=HTMX).text
    assert "The worker stopped &lt;responding&gt;." in failed
    assert "hx-get" not in failed


def test_a_test_that_nobody_takes_up_ends_with_a_sentence(alice: Person, acme: Provider) -> None:
    alice.post(f"/settings/keys/{acme.id}/test", headers=HTMX)
    job = Job.get()
    Job.update(queued_at=job.queued_at - 60).execute()
    answer = alice.get(f"/settings/checks/{job.id}", headers=HTMX).text
    assert "No worker has taken this up." in answer
    assert "hx-get" not in answer


def test_a_second_click_shows_the_test_that_is_under_way(alice: Person, acme: Provider) -> None:
    for _ in range(3):
        alice.post(f"/settings/keys/{acme.id}/test", headers=HTMX)
    assert Job.select().count() == 1


def test_only_the_last_test_is_kept_and_the_page_shows_it(alice: Person, acme: Provider) -> None:
    for text in ("The first.", "The second."):
        alice.post(f"/settings/keys/{acme.id}/test", headers=HTMX)
        job = list(Job.select().order_by(Job.id))[-1]
        finish(job, result={"ok": True, "text": text, "latency_ms": 1.0})
    page = alice.get("/settings/keys").text
    assert "The second." in page
    assert "The first." not in page
    assert Job.select().count() == 1


def test_a_new_key_forgets_the_test_of_the_old_one(alice: Person, acme: Provider) -> None:
    alice.post(f"/settings/keys/{acme.id}/test", headers=HTMX)
    finish(Job.get(), result={"ok": False, "text": "The old key is bad.", "latency_ms": None})
    answer = alice.post(f"/settings/keys/{acme.id}", data={"api_key": KEY}, headers=HTMX)
    assert "The old key is bad." not in answer.text


def test_a_test_without_htmx_shows_its_state_on_the_page(alice: Person, acme: Provider) -> None:
    answer = alice.post(f"/settings/keys/{acme.id}/test")
    assert (answer.status_code, answer.location) == (303, "/settings/keys")
    assert "Reload the page to see the result." in alice.get("/settings/keys").text
    check = alice.get(f"/settings/checks/{Job.get().id}")
    assert (check.status_code, check.location) == (303, "/settings/keys")


URLS = ("/settings/keys/{id}", "/settings/keys/{id}/delete", "/settings/keys/{id}/test")


def test_a_get_is_the_wrong_method(alice: Person, acme: Provider) -> None:
    for url in URLS:
        assert alice.get(url.format(id=acme.id)).status_code == 405, url


def test_somebody_elses_provider_is_404_even_for_an_administrator(
    acme: Provider, charlie: Person, bob: Person
) -> None:
    for person in (charlie, bob):
        for url in URLS:
            answer = person.post(url.format(id=acme.id), data={"api_key": KEY})
            assert answer.status_code == 404, url
    assert (ApiKey.select().count(), Job.select().count()) == (0, 0)


def test_a_provider_that_is_not_there_is_404(alice: Person) -> None:
    for url in URLS:
        for number in ("999999", "0", "x", "-1"):
            answer = alice.post(url.format(id=number), data={"api_key": KEY})
            assert answer.status_code == 404, url


def test_nobody_is_sent_to_the_login(nobody: FlaskClient, acme: Provider) -> None:
    for url in URLS:
        answer = nobody.post(url.format(id=acme.id), data={"api_key": KEY})
        assert answer.status_code == 303, url
        assert answer.location.startswith("/login"), url
    assert ApiKey.select().count() == 0


def test_somebody_elses_check_is_404(alice: Person, acme: Provider, charlie: Person) -> None:
    alice.post(f"/settings/keys/{acme.id}/test", headers=HTMX)
    url = f"/settings/checks/{Job.get().id}"
    assert charlie.get(url, headers=HTMX).status_code == 404
    assert alice.get("/settings/checks/999999", headers=HTMX).status_code == 404


def test_a_job_that_is_no_check_is_404(alice: Person, acme: Provider) -> None:
    job = Job.create(user=alice.user, kind="benchmark", spec={}, subject=acme.id)
    assert alice.get(f"/settings/checks/{job.id}", headers=HTMX).status_code == 404


def test_a_key_is_in_no_answer_and_in_no_log(
    alice: Person, mine: Provider, model: ModelEntry, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    seen = [alice.post(f"/settings/keys/{mine.id}", data={"api_key": KEY}, headers=HTMX)]
    seen += [alice.post(f"/settings/keys/{mine.id}/test", headers=HTMX)]
    seen += [alice.post(f"/settings/providers/{mine.id}/fetch", headers=HTMX)]
    pages = ("keys", "providers", f"providers/{mine.id}", f"models/{model.id}", "account")
    seen += [alice.get(f"/settings/{page}") for page in pages]
    seen += [alice.post("/settings/providers", data={"base_url": "x", "api_key": KEY})]
    assert [answer.status_code for answer in seen] == [200] * 8 + [422]
    for answer in seen:
        assert KEY not in answer.text
        assert KEY not in str(answer.headers)
    assert KEY not in caplog.text
    assert all(KEY not in str(row) for row in AuditEntry.select().dicts())
    assert all(KEY not in str(row) for row in Job.select().dicts())
    assert fresh(mine).display_name == "<b>Mine</b>"
