"""A load benchmark as its user lives it: asked for, watched level by level, read, run again."""

from __future__ import annotations

import re

from playwright.sync_api import Page, expect

from tests.browser.conftest import MakeVisitor
from tests.browser.visitor import RUN_MS, run_number, state

LEVELS = ["1 stream", "2 streams", "6 streams"]


def _fill(page: Page) -> None:
    page.get_by_label("fast-small").check()
    page.get_by_text("Under load").click()
    expect(page.get_by_label("Runs per model")).to_be_hidden()
    for number in (4, 8, 16):
        page.get_by_role("button", name=f"Remove level {number}", exact=True).press("Enter")
    levels = page.get_by_label("Levels, streams at once")
    levels.press_sequentially("6 ")
    page.get_by_label("Requests per level").fill("10")
    page.get_by_label("Most tokens out").fill("40")
    page.get_by_label("First token within").fill("soon")
    expect(page.locator("#consequence")).to_contain_text("First token within: give a number")
    page.get_by_label("First token within").fill("5000")
    expect(page.locator("#consequence")).to_contain_text("31 requests, about")


def test_a_load_run_is_asked_for_watched_read_and_run_again(visitor: MakeVisitor) -> None:
    alice = visitor()
    page = alice.open("/benchmark/new")
    _fill(page)
    alice.check_widths()
    alice.shoot("load-form")
    page.get_by_role("button", name="Start benchmark").last.click()

    expect(state(page)).to_have_text("Running", timeout=RUN_MS)
    rows = page.get_by_role("group", name="Table of levels").locator("tbody tr")
    assert rows.locator("th").all_inner_texts() == LEVELS
    first = rows.first.locator("[data-cell=throughput]")
    expect(first).not_to_have_text("–", timeout=RUN_MS)
    alice.shoot("load-live", full=False)
    second = alice.tab(f"/benchmark/{run_number(page)}")
    for tab in (page, second):
        expect(state(tab)).to_have_text("Done", timeout=RUN_MS)
        expect(tab.locator("#run-verdict b")).to_contain_text("fast-small serves")
    assert page.inner_text("#run-results") == second.inner_text("#run-results")
    expect(page.locator("#run-environment")).to_contain_text("Client machine")
    alice.check_widths()
    alice.shoot("load-report")

    page.locator("#run-samples td a").nth(1).click()
    expect(page.get_by_role("img", name=re.compile("First token after"))).to_be_visible()
    alice.check_widths()
    alice.shoot("load-request")
    page.get_by_role("link", name="Back to the run").click()
    page.get_by_role("link", name="Run again").click()
    expect(page.get_by_label("Under load")).to_be_checked()
    expect(page.get_by_role("button", name=re.compile("Remove level"))).to_have_count(3)
    expect(page.get_by_label("First token within")).to_have_value("5000")
