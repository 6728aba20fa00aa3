"""Register, sign in and out, in a browser and by htmx."""

from __future__ import annotations

import pytest
from flask import Flask
from flask.testing import FlaskClient

from tests.webapp.conftest import HTMX, Person
from webapp.auth import accounts, lockout
from webapp.models import AuditEntry, User
from webapp.settings import Settings

EMAIL, PASSWORD = "alice@example.org", "a long and quiet phrase"


@pytest.fixture
def registered(app: Flask, settings: Settings) -> User:
    return accounts.create(settings, EMAIL, PASSWORD)


def test_registering_signs_in_and_the_first_one_administers(nobody: FlaskClient) -> None:
    answer = nobody.post("/register", data={"email": EMAIL, "password": PASSWORD})

    assert (answer.status_code, answer.location) == (303, "/")
    assert "No benchmark yet" in nobody.get("/").text
    assert User.get().is_admin


def test_a_refused_registration_keeps_what_was_typed_but_the_password(nobody: FlaskClient) -> None:
    typed = {"email": "<b>alice", "password": "short-one"}

    page, part = (
        nobody.post("/register", data=typed),
        nobody.post("/register", data=typed, headers=HTMX),
    )

    for answer in (page, part):
        assert answer.status_code == 422
        assert 'value="&lt;b&gt;alice"' in answer.text
        assert "Give an e-mail address" in answer.text
        assert "Use at least 10 characters." in answer.text
        assert 'aria-describedby="password-err password-help"' in answer.text
        assert "short-one" not in answer.text
    assert "<html" in page.text
    assert "<html" not in part.text


def test_signing_in_goes_where_one_wanted_to_go(nobody: FlaskClient, registered: User) -> None:
    wanted = nobody.get("/jobs?state=done").location

    assert 'value="/jobs?state=done"' in nobody.get(wanted).text
    answer = nobody.post(
        "/login", data={"email": EMAIL, "password": PASSWORD, "next": "/jobs?state=done"}
    )

    assert (answer.status_code, answer.location) == (303, "/jobs?state=done")


def test_signing_in_never_goes_to_another_site(nobody: FlaskClient, registered: User) -> None:
    answer = nobody.post(
        "/login?next=https://example.org",
        data={"email": EMAIL, "password": PASSWORD, "next": "//example.org"},
    )

    assert answer.location == "/"


def test_the_address_may_be_typed_in_capitals(nobody: FlaskClient, registered: User) -> None:
    answer = nobody.post("/login", data={"email": " ALICE@example.org", "password": PASSWORD})

    assert answer.status_code == 303


def test_a_wrong_password_and_an_unknown_address_read_the_same(
    nobody: FlaskClient, registered: User
) -> None:
    wrong = nobody.post("/login", data={"email": EMAIL, "password": "not the phrase"})
    unknown = nobody.post("/login", data={"email": "bob@example.org", "password": PASSWORD})

    assert wrong.status_code == unknown.status_code == 422
    for answer in (wrong, unknown):
        assert "Address and password do not match." in answer.text


def test_a_disabled_account_cannot_sign_in(nobody: FlaskClient, registered: User) -> None:
    User.update(is_disabled=True).execute()

    answer = nobody.post("/login", data={"email": EMAIL, "password": PASSWORD})

    assert answer.status_code == 422


def test_after_five_failures_even_the_right_password_has_to_wait(
    nobody: FlaskClient, registered: User
) -> None:
    for _ in range(lockout.TRIES):
        nobody.post("/login", data={"email": EMAIL, "password": "not the phrase"})

    answer = nobody.post("/login", data={"email": EMAIL, "password": PASSWORD})

    assert answer.status_code == 429
    assert 890 < int(answer.headers["Retry-After"]) <= 900
    assert "Try again in 15 min" in answer.text


def test_a_sign_in_is_remembered_with_its_address(nobody: FlaskClient, registered: User) -> None:
    nobody.post("/login", data={"email": EMAIL, "password": PASSWORD})

    entry = AuditEntry.get(AuditEntry.action == lockout.SIGNED_IN)
    assert (entry.user_id, entry.address) == (registered.id, "127.0.0.1")


def test_a_flood_of_sign_ins_from_one_address_is_held_up(nobody: FlaskClient) -> None:
    answers = [nobody.post("/login", data={"email": f"user{i}@example.org"}) for i in range(31)]

    assert {answer.status_code for answer in answers[:30]} == {422}
    assert answers[30].status_code == 429
    assert int(answers[30].headers["Retry-After"]) > 0


def test_signing_in_starts_a_new_session(nobody: FlaskClient, registered: User) -> None:
    with nobody.session_transaction() as session:
        session["planted"] = "by somebody else"

    nobody.post("/login", data={"email": EMAIL, "password": PASSWORD})

    with nobody.session_transaction() as session:
        assert "planted" not in session
        assert session.permanent


def test_signing_out_needs_a_post_and_ends_the_session(alice: Person) -> None:
    assert alice.get("/logout").status_code == 405
    answer = alice.post("/logout")

    assert (answer.status_code, answer.location) == (303, "/")
    assert "You are signed out." in alice.get("/").text
    assert alice.get("/jobs").status_code == 303


@pytest.mark.parametrize("path", ["/login", "/register"])
def test_who_is_signed_in_needs_neither_form(alice: Person, path: str) -> None:
    assert alice.get(path).location == "/"
    assert alice.get(f"{path}?next=/jobs").location == "/jobs"
