"""Tool calling in a real browser: from nothing to a cell of the matrix, and an own suite."""

from __future__ import annotations

import json
import re
import time

from playwright.sync_api import expect

from tests.browser.visitor import RUN_MS, Visitor
from tests.engine.tools.mcp_servers import real_server
from tests.webapp.tools.builders import suite_data

SCROLL = "document.querySelector('.matrix-frame').scrollTop"


def look(alice: Visitor, name: str) -> None:
    """The page fits at both widths, axe finds nothing, and a picture is kept."""
    alice.check_widths()
    alice.shoot(name)


def settled(alice: Visitor) -> None:
    """The evaluation has ended and the matrix has asked for the last time: see it afresh."""
    expect(alice.page.locator("#matrix-body[hx-get]")).to_have_count(0)
    expect(alice.page.locator("#matrix-body td.w")).to_have_count(0)
    alice.page.reload()


def test_from_nothing_to_a_cell_of_the_live_matrix(alice: Visitor) -> None:
    page = alice.open("/")
    page.keyboard.press("g")
    page.keyboard.press("t")
    expect(page.get_by_text("No suite yet")).to_be_visible()
    look(alice, "tools-empty")
    page.get_by_role("button", name="Add the sample suite").click()
    page.wait_for_url(re.compile(r"/tools/suites/\d+$"))
    look(alice, "tools-suite")
    page.get_by_role("link", name="Evaluate models").click()
    for model in ("fast-small", "flaky"):
        page.get_by_role("checkbox", name=re.compile(f"^{model}")).check()
    expect(page.locator("#consequence")).to_contain_text("requests, about")
    look(alice, "tools-form")
    page.get_by_role("button", name="Start evaluation").last.click()

    page.wait_for_url(re.compile(r"/tools/evals/\d+$"))
    answers = page.locator("#matrix-body td.cell a")
    expect(answers.nth(4)).to_be_attached(timeout=RUN_MS)
    assert page.evaluate(f"{SCROLL} = 120") == 120
    expect(answers.nth(30)).to_be_attached(timeout=RUN_MS)
    assert page.evaluate(SCROLL) == 120
    alice.shoot("tools-live")
    expect(page.locator("#eval-state")).to_have_text("Done", timeout=2 * RUN_MS)
    expect(page.locator("#eval-verdict")).to_contain_text("cases")
    settled(alice)
    look(alice, "tools-eval")

    before = page.locator("#eval-trouble").inner_text()
    page.get_by_role("button", name="Retry only these").click()
    expect(page.locator("#eval-trouble")).not_to_have_text(before)
    expect(page.locator("#eval-state")).to_have_text("Done", timeout=RUN_MS)
    settled(alice)

    page.get_by_label("Outcome").select_option("fail")
    expect(page).to_have_url(re.compile(r"\?outcome=fail$"))
    page.locator("#matrix-body td.f a").first.click()
    expect(page.get_by_role("heading", name="Called and expected")).to_be_visible()
    look(alice, "tools-cell")
    page.go_back()
    expect(page.get_by_label("Outcome")).to_have_value("fail")
    page.goto(f"{page.url.partition('?')[0]}?category=chain")
    expect(page.get_by_text("cases that match")).to_contain_text("of 4")
    page.locator("#matrix-body td.cell a").first.click()
    expect(page.get_by_role("heading", name="Conversation")).to_be_visible()
    look(alice, "tools-chain")


def test_tools_of_an_mcp_server_become_a_suite(alice: Visitor) -> None:
    page = alice.open("/tools/suites/new")
    with real_server() as server:
        page.get_by_label("Address").fill(f"{server.base}/mcp")
        began = time.monotonic()
        page.get_by_role("button", name="List its tools").click()
        expect(page.get_by_role("heading", name="100 tools")).to_be_visible(timeout=20_000)
    page.get_by_label("Filter the tools").fill("lookup_7")
    look(alice, "tools-mcp")
    page.get_by_role("button", name="Make a suite").click()
    page.wait_for_url(re.compile(r"/tools/suites/\d+$"))
    expect(page.get_by_text("101 cases, 100 tools")).to_be_visible()
    assert time.monotonic() - began < 60  # two clicks; under 5 s where nothing else runs


def test_a_suite_of_ones_own_is_imported_edited_and_compared(alice: Visitor) -> None:
    alice.allowed.add(422)
    page = alice.open("/tools/suites/new")
    look(alice, "tools-new-suite")
    page.reload()  # a picture leaves styles behind, which the policy forbids to copy
    page.get_by_text("Paste the text instead").click()
    page.get_by_label("Text", exact=True).fill("{broken")
    page.get_by_role("button", name="Import").click()
    expect(page.get_by_text("Nothing was imported.")).to_be_visible()
    page.get_by_label("Text", exact=True).fill(json.dumps(suite_data(6)))
    page.get_by_role("button", name="Import").click()
    page.wait_for_url(re.compile(r"/tools/suites/\d+$"))

    page.get_by_role("link", name="simple_1").click()
    page.get_by_role("button", name="Add an argument").click()
    page.get_by_label("Argument", exact=True).nth(1).fill("days")
    page.get_by_label("Allowed values").nth(1).fill("3")
    page.get_by_label("Trials").fill("0")
    page.get_by_role("button", name="Save").last.click()
    expect(page.get_by_text("Give a number from 1.")).to_be_visible()
    look(alice, "tools-case")
    page.get_by_label("Trials").fill("2")
    page.get_by_role("button", name="Save").last.click()
    expect(page.get_by_text("Saved as version 2.")).to_be_visible()

    page.get_by_role("link", name="Evaluate models").click()
    page.get_by_role("button", name="Select all of Demo").click()
    page.get_by_role("button", name="Start evaluation").last.click()
    expect(page.locator("#eval-state")).to_have_text("Done", timeout=2 * RUN_MS)
    page.get_by_role("link", name="Compare").click()
    expect(page.locator(".verdict")).to_be_visible()
    look(alice, "tools-compare")
    alice.open("/tools/evals")
    look(alice, "tools-evals")
