"""The error table: the same failure for a browser, for htmx, and as JSON."""

from __future__ import annotations

import json
from typing import NoReturn

import pytest
from flask import Flask, abort, request
from flask.testing import FlaskClient
from peewee import OperationalError

from tests.webapp.conftest import HTMX, Person
from webapp.access import public
from webapp.errors import WORDS
from webapp.extensions import limiter, login_manager

JSON = {"Accept": "application/json"}


@pytest.fixture
def failing(app: Flask) -> Flask:
    """The application with pages that fail in every way."""

    @public
    def fail(status: int) -> NoReturn:
        abort(status)

    @public
    def conflict() -> NoReturn:
        abort(409, "This benchmark runs already.")

    @public
    def bug() -> NoReturn:
        raise RuntimeError("secret detail")

    @public
    @limiter.limit("1 per minute")
    def limited() -> str:
        return "once"

    @public
    def field() -> str:
        return request.form["missing"]

    app.config["PROPAGATE_EXCEPTIONS"] = False
    app.add_url_rule("/t/fail/<int:status>", "fail", fail)
    app.add_url_rule("/t/conflict", "conflict", conflict)
    app.add_url_rule("/t/bug", "bug", bug)
    app.add_url_rule("/t/limited", "limited", limited)
    app.add_url_rule("/t/field", "field", field, methods=["POST"])
    return app


@pytest.fixture
def client(failing: Flask) -> FlaskClient:
    return failing.test_client()


def toast_of(answer: object) -> dict[str, str]:
    trigger = json.loads(answer.headers["HX-Trigger"])  # type: ignore[attr-defined]
    toast: dict[str, str] = trigger["toast"]
    return toast


@pytest.mark.parametrize("status", [403, 404, 405, 409, 413, 415, 422, 429])
def test_a_failure_has_three_bodies_and_one_sentence(client: FlaskClient, status: int) -> None:
    heading, sentence = WORDS[status]
    path = f"/t/fail/{status}"

    page, part, data = (
        client.get(path),
        client.get(path, headers=HTMX),
        client.get(path, headers=JSON),
    )

    assert page.status_code == part.status_code == data.status_code == status
    assert f"<h1>{heading}</h1>" in page.text
    assert sentence in page.text
    assert toast_of(part) == {"text": sentence, "kind": "bad", "undo": None}
    assert part.headers["HX-Reswap"] == "none"
    assert data.json == {
        "error": sentence,
        "errors": {},
        "request_id": data.headers["X-Request-ID"],
    }


def test_a_views_own_words_are_shown(client: FlaskClient) -> None:
    assert "This benchmark runs already." in client.get("/t/conflict").text
    assert toast_of(client.get("/t/conflict", headers=HTMX))["text"] == (
        "This benchmark runs already."
    )


def test_a_librarys_words_are_not(client: FlaskClient) -> None:
    answer = client.post("/t/field", headers=JSON)

    assert answer.status_code == 400
    assert answer.json is not None
    assert answer.json["error"] == WORDS[400][1]


def test_the_json_twin_of_a_page_fails_as_json(client: FlaskClient, alice: Person) -> None:
    assert client.get("/nothing.json").json is not None
    assert client.get("/api/v1/nothing").json is not None
    assert client.get("/jobs.json").status_code == 401
    lost = alice.get("/jobs.json?state=lost")
    assert lost.status_code == 404
    assert lost.json is not None
    assert lost.json["error"] == "There is no such state. Choose one of the states offered."


def test_a_bug_shows_its_number_and_nothing_else(client: FlaskClient) -> None:
    page, part, data = (client.get("/t/bug", headers=h) for h in ({}, HTMX, JSON))

    assert page.status_code == part.status_code == data.status_code == 500
    for answer in (page, part, data):
        assert "secret detail" not in answer.text
    assert page.headers["X-Request-ID"] in page.text
    assert part.headers["X-Request-ID"] in toast_of(part)["text"]
    assert data.json is not None
    assert data.json["request_id"] == data.headers["X-Request-ID"]


def test_a_bug_is_logged_with_its_cause(
    client: FlaskClient, caplog: pytest.LogCaptureFixture
) -> None:
    client.get("/t/bug")

    assert any("secret detail" in (record.exc_text or "") for record in caplog.records)


def test_the_page_of_a_bug_asks_the_database_nothing(
    failing: Flask, alice: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_: str) -> NoReturn:
        raise OperationalError("disk I/O error")

    monkeypatch.setattr(login_manager, "_user_callback", broken)

    answer = alice.get("/jobs")

    assert answer.status_code == 500
    assert "<h1>Our mistake</h1>" in answer.text


def test_too_many_requests_say_when_to_come_back(client: FlaskClient) -> None:
    assert client.get("/t/limited").text == "once"

    for headers in ({}, HTMX, JSON):
        answer = client.get("/t/limited", headers=headers)
        assert answer.status_code == 429
        assert 0 < int(answer.headers["Retry-After"]) <= 60
        assert "1 per 1 minute" not in answer.text


def test_the_wrong_method_names_the_right_ones(client: FlaskClient) -> None:
    answer = client.get("/logout")

    assert answer.status_code == 405
    assert "POST" in answer.headers["Allow"]


def test_too_much_is_refused_before_it_is_read(nobody: FlaskClient) -> None:
    big = {"email": "x" * (17 * 1024 * 1024)}

    answer = nobody.post("/login", data=big)

    assert answer.status_code == 413
    assert WORDS[413][1] in answer.text


def test_a_stranger_is_sent_to_the_login_and_back(nobody: FlaskClient) -> None:
    answer = nobody.get("/jobs?state=done")

    assert answer.status_code == 303
    assert answer.location == "/login?next=/jobs?state%3Ddone"
    assert nobody.get("/jobs", headers=JSON).status_code == 401


def test_where_a_form_was_sent_to_is_not_a_page_to_come_back_to(nobody: FlaskClient) -> None:
    assert nobody.post("/jobs/seen").location == "/login"
