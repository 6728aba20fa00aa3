"""The history in a real browser: address, keyboard, ticks, undo, and the same without scripts."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import MakeVisitor
from tests.browser.visitor import Visitor
from tests.webapp.history.conftest import DAY_S, add_run, ladder
from webapp import db
from webapp.models import User
from webapp.settings import Settings

SPEEDS = {"fast-small": 182.0, "jittery": 121.0, "slow-large": 87.0}


def fill(alice: Visitor) -> None:
    """Thirty runs of Alice's, written beside the running programs."""
    db.open_database(Settings(data=alice.studio.data), migrate=False)
    with db.connection():
        user = User.get(User.email == alice.email)
        for number in range(28):
            speeds = {model: ladder(middle) for model, middle in SPEEDS.items()}
            add_run(user, speeds, name=f"Nightly {number + 1}", age_s=(number + 3) * DAY_S)
        firsts = {model: ladder(120.0) for model in SPEEDS}
        before = {model: ladder(middle) for model, middle in SPEEDS.items()}
        after = {**before, "fast-small": ladder(205.0)}
        add_run(user, before, name="Before", firsts=firsts, age_s=2 * DAY_S)
        add_run(user, after, name="After <b>upgrade</b>", firsts=firsts, age_s=DAY_S)


@pytest.fixture
def filled(alice: Visitor) -> Visitor:
    fill(alice)
    return alice


def heading(page: Page, text: str) -> None:
    expect(page.locator("#runs-title")).to_have_text(text)


def tick(page: Page, *names: str) -> None:
    for name in names:
        page.get_by_role("checkbox", name=f"Tick {name}", exact=True).check()


def test_the_address_follows_the_keyboard_and_leads_back(filled: Visitor) -> None:
    page = filled.open("/history")
    heading(page, "30 benchmarks")
    page.keyboard.press("/")
    page.keyboard.type("nightly 1", delay=20)
    heading(page, "12 benchmarks match")
    expect(page).to_have_url(re.compile(r"/history\?q=nightly\+1$"))
    expect(page.locator("#q")).to_be_focused()

    page.get_by_role("link", name="Output, tok/s").press("Enter")
    expect(page).to_have_url(re.compile(r"\?q=nightly\+1&sort=speed$"))
    expect(page.get_by_role("link", name="Output, tok/s")).to_be_focused()
    page.get_by_label("Model").select_option("jittery")
    expect(page).to_have_url(re.compile(r"\?q=nightly\+1&model=jittery&sort=speed$"))
    page.go_back()
    expect(page.get_by_label("Model")).to_have_value("")
    assert page.locator("[aria-sort=descending]").inner_text().startswith("Output")

    page.get_by_label("Search").fill("")
    page.get_by_label("Search").press_sequentially("zzz", delay=20)
    expect(page.get_by_text("No benchmark matches")).to_be_visible()
    filled.check_axe()
    page.get_by_role("link", name="Clear filters").click()
    page.get_by_role("link", name="Next").press("Enter")
    expect(page.get_by_text("26–30 of 30")).to_be_visible()
    expect(page).to_have_url(re.compile(r"/history\?page=2$"))


def test_two_ticked_runs_are_compared_and_swapped(filled: Visitor) -> None:
    filled.allowed.add(422)
    page = filled.open("/history")
    tick(page, "Before")
    page.get_by_role("button", name="Compare").click()
    expect(page.get_by_text("Tick the two benchmarks to compare; one is ticked.")).to_be_visible()
    tick(page, "After <b>upgrade</b>")
    filled.check_widths()
    filled.shoot("history", full=False)
    page.get_by_role("button", name="Compare").click()

    expect(page.locator(".verdict").first).to_contain_text("B is faster with fast-small;")
    expect(page.locator(".verdict").nth(1)).to_contain_text("is not distinguishable with")
    filled.check_widths()
    filled.shoot("history-compare")
    page.get_by_role("link", name="Swap A and B").click()
    expect(page.locator(".verdict").first).to_contain_text("A is faster with fast-small;")


def test_deleted_runs_come_back_where_they_were(filled: Visitor) -> None:
    page = filled.open("/history?sort=name&dir=desc")
    tick(page, "Nightly 9", "Nightly 8")
    page.get_by_role("button", name="Delete").click()
    heading(page, "28 benchmarks")
    expect(page.get_by_role("link", name="Nightly 9")).to_have_count(0)
    tick(page, "Nightly 7")
    page.get_by_role("button", name="Undo").click()
    heading(page, "30 benchmarks")
    expect(page.get_by_text("2 benchmarks are back.")).to_be_visible()
    expect(page.get_by_role("checkbox", name="Tick Nightly 7", exact=True)).to_be_checked()
    expect(page).to_have_url(re.compile(r"\?sort=name&dir=desc$"))


def test_all_of_it_works_without_scripts(visitor: MakeVisitor) -> None:
    alice = visitor(java_script_enabled=False)
    fill(alice)
    page = alice.open("/history?q=nightly")
    page.get_by_role("link", name="Output, tok/s").click()
    page.get_by_label("Model").select_option("jittery")
    page.get_by_role("button", name="Filter").click()
    heading(page, "28 benchmarks match")
    expect(page.locator("[aria-sort=descending]")).to_contain_text("Output")
    tick(page, "Nightly 3")
    page.get_by_role("button", name="Delete").click()
    heading(page, "27 benchmarks match")
    page.get_by_role("button", name="Undo").click()
    heading(page, "30 benchmarks")
    tick(page, "Before", "After <b>upgrade</b>")
    page.get_by_role("button", name="Compare").click()
    expect(page.locator(".verdict").first).to_contain_text("B is faster with fast-small")


def test_nothing_yet_leads_to_the_demo(alice: Visitor) -> None:
    page = alice.open("/history")
    expect(page.get_by_text("No benchmark yet")).to_be_visible()
    alice.check_widths()
    alice.shoot("history-empty")
    page.get_by_role("button", name="Try it with the demo provider").click()
    page.wait_for_url(re.compile(r"/benchmark/\d+$"))
