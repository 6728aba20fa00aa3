"""Making accounts: what is refused, who administers, and what two at once may do."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from threading import Barrier

import pytest
from flask import Flask
from hypothesis import given
from hypothesis import strategies as st

from webapp import create_app, db
from webapp.auth import accounts, passwords
from webapp.auth.redirects import safe_next
from webapp.models import AuditEntry, Provider, User
from webapp.settings import Settings

GOOD = "a long and quiet phrase"


@pytest.mark.parametrize(
    ("password", "sentence"),
    [
        ("", "Use at least 10 characters."),
        ("ninechars", "Use at least 10 characters."),
        ("x" * 1_001, "Use at most 1,000 characters."),
        ("password123", "tried first"),
        ("PassWord123", "tried first"),
        ("aaaaaaaaaaaa", "tried first"),
        ("121212121212", "tried first"),
        ("alice@example.org", "This is your address."),
    ],
)
def test_a_weak_password_is_refused_with_a_reason(password: str, sentence: str) -> None:
    assert sentence in (passwords.weakness(password, "alice@example.org") or "")


def test_a_phrase_is_accepted() -> None:
    assert passwords.weakness(GOOD, "alice@example.org") is None
    assert passwords.weakness("ünïcödé-wörds", "alice@example.org") is None


def test_the_list_of_common_passwords_holds_what_the_length_rule_lets_through() -> None:
    assert len(passwords.common()) > 150
    assert all(len(word) >= passwords.MIN_CHARS for word in passwords.common())
    assert all(word == word.lower().strip() for word in passwords.common())


@pytest.mark.parametrize(
    "email", ["", "alice", "@", "a@", "@b", "a b@c", "a@b@c", "x" * 254 + "@y"]
)
def test_what_is_no_address_is_refused_at_its_field(
    app: Flask, settings: Settings, email: str
) -> None:
    with pytest.raises(accounts.AccountError) as refused:
        accounts.create(settings, email, GOOD)

    assert list(refused.value.errors) == ["email"]
    assert User.select().count() == 0


def test_an_address_has_one_account_whatever_its_case(app: Flask, settings: Settings) -> None:
    accounts.create(settings, " Alice@Example.org ", GOOD)

    with pytest.raises(accounts.AccountError, match="Sign in instead"):
        accounts.create(settings, "alice@example.ORG", GOOD)

    assert [user.email for user in User.select()] == ["alice@example.org"]


def test_a_new_user_starts_with_the_providers_of_the_configuration(
    app: Flask, settings: Settings
) -> None:
    user = accounts.create(settings, "alice@example.org", GOOD)

    keys = [row.key for row in Provider.select().where(Provider.user == user)]
    assert keys[0] == "demo"


def test_the_stored_password_is_a_scrypt_hash(app: Flask, settings: Settings) -> None:
    user = accounts.create(settings, "alice@example.org", GOOD)

    assert user.password_hash.startswith("scrypt:")
    assert GOOD not in user.password_hash
    assert passwords.owner("alice@example.org", GOOD) == user
    assert passwords.owner("alice@example.org", GOOD + " ") is None
    assert passwords.owner("nobody@example.org", GOOD) is None


def test_of_many_who_register_at_once_one_becomes_administrator(
    app: Flask, settings: Settings
) -> None:
    together = Barrier(6)

    def register(number: int) -> None:
        together.wait(timeout=10)
        with db.connection():
            accounts.create(settings, f"user{number}@example.org", GOOD, registers=True)

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(register, range(6)))

    assert User.select().count() == 6
    assert User.select().where(User.is_admin).count() == 1


def test_of_many_who_want_one_address_one_gets_it(app: Flask, settings: Settings) -> None:
    together = Barrier(4)

    def register(_: int) -> str:
        together.wait(timeout=10)
        with db.connection():
            try:
                accounts.create(settings, "alice@example.org", GOOD)
            except accounts.AccountError as error:
                return error.errors["email"]
            return ""

    with ThreadPoolExecutor(4) as pool:
        answers = sorted(pool.map(register, range(4)))

    assert answers[0] == ""
    assert all("already" in answer for answer in answers[1:])


def test_who_comes_later_is_no_administrator(app: Flask, settings: Settings) -> None:
    first = accounts.create(settings, "alice@example.org", GOOD, registers=True)
    second = accounts.create(settings, "charlie@example.org", GOOD, registers=True)

    assert (first.is_admin, second.is_admin) == (True, False)


@pytest.fixture
def start(settings: Settings) -> Callable[..., None]:
    """Start the application with other settings, as the web process does."""

    def start(**changes: str) -> None:
        create_app(replace(settings, **changes))  # type: ignore[arg-type]

    return start


def admins() -> list[str]:
    with db.connection():
        return [user.email for user in User.select().where(User.is_admin)]


def test_the_administrator_of_the_settings_is_created_at_start_and_once(
    start: Callable[..., None],
) -> None:
    for _ in range(2):
        start(admin_email="Bob@example.org", admin_password=GOOD)

    assert admins() == ["bob@example.org"]
    with db.connection():
        assert AuditEntry.select().where(AuditEntry.action == "account.created").count() == 1
        assert passwords.owner("bob@example.org", GOOD) is not None


def test_an_account_that_is_there_is_promoted_and_keeps_its_password(
    start: Callable[..., None], settings: Settings
) -> None:
    start()
    with db.connection():
        accounts.create(settings, "bob@example.org", GOOD)

    start(admin_email="bob@example.org", admin_password="another long phrase")

    assert admins() == ["bob@example.org"]
    with db.connection():
        assert passwords.owner("bob@example.org", GOOD) is not None


def test_an_address_alone_promotes_whoever_registers_it(
    start: Callable[..., None], settings: Settings
) -> None:
    start(admin_email="bob@example.org")
    assert admins() == []

    with db.connection():
        accounts.create(settings, "alice@example.org", GOOD, registers=True)
        changed = replace(settings, admin_email="bob@example.org")
        accounts.create(changed, "bob@example.org", GOOD, registers=True)

    assert admins() == ["alice@example.org", "bob@example.org"]


def test_a_weak_administrators_password_stops_the_start(start: Callable[..., None]) -> None:
    with pytest.raises(accounts.AccountError, match="tried first"):
        start(admin_email="bob@example.org", admin_password="password123")


@pytest.mark.parametrize("path", ["/", "/jobs?state=done", "/benchmark/17#results", "/a?b=//c"])
def test_a_path_of_ours_may_be_gone_back_to(path: str) -> None:
    assert safe_next(path) == path


@pytest.mark.parametrize(
    "target",
    [
        *("", "jobs", "https://example.org/", "//example.org", "///example.org", "/\\example.org"),
        *("\\\\example.org", "javascript:alert(1)", "/\t/example.org", "/\n/example.org"),
        *(" //example.org", "http:/example.org", "/jobs\r\nSet-Cookie: a=b"),
    ],
)
def test_another_site_may_not(target: str) -> None:
    assert safe_next(target) is None


@given(st.text(max_size=40))
def test_whatever_is_gone_back_to_is_a_path_of_ours(target: str) -> None:
    found = safe_next(target)

    assert found is None or (found[:1] == "/" and found[1:2] not in ("/", "\\"))
