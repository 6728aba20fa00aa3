"""Strangers, registration and signing in, in a real browser."""

from __future__ import annotations

from collections.abc import Callable

from tests.browser.studio import PASSWORD
from tests.browser.visitor import Visitor


def test_a_stranger_reads_what_this_is_and_can_register(visitor: Callable[..., Visitor]) -> None:
    someone = visitor(False)
    someone.open("/")
    someone.check_axe()
    someone.shoot("landing")
    someone.open("/register")
    someone.check_axe()
    someone.shoot("register")


def test_a_weak_password_is_refused_at_its_field(visitor: Callable[..., Visitor]) -> None:
    someone = visitor(False)
    someone.allowed.add(422)
    page = someone.open("/register")
    page.get_by_label("E-mail").fill("weak@example.org")
    page.get_by_label("Password", exact=False).first.fill("short")
    page.locator("form").evaluate_all("forms => forms.forEach(form => form.noValidate = true)")
    page.get_by_role("main").get_by_role("button", name="Create account").click()
    page.locator("[aria-invalid=true]").first.wait_for()
    someone.check_axe()
    someone.shoot("register-refused")


def test_somebody_who_registered_signs_out_and_in_again(alice: Visitor) -> None:
    page = alice.page
    page.get_by_text("Account", exact=True).first.click()
    page.get_by_role("button", name="Sign out").click()
    page.get_by_role("link", name="Sign in").first.wait_for()
    alice.open("/login")
    alice.check_axe()
    page.get_by_label("E-mail").fill(alice.email)
    page.get_by_label("Password", exact=False).first.fill(PASSWORD)
    page.get_by_role("main").get_by_role("button", name="Sign in").click()
    page.get_by_text("Account", exact=True).first.wait_for()
