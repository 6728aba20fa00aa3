"""Keys, providers and models in a real browser, with the real quick lane behind them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from tests.browser.visitor import Visitor
from tests.hostile import Hostile, hostile_server

KEY = "sk-alice-0123456789abcdef"


@pytest.fixture
def gateway() -> Iterator[Hostile]:
    """An endpoint with many models, some of them with markup for a name."""
    with hostile_server() as server:
        listed = [{"id": f"vendor-{i % 4}/model-{i}", "context_length": 8192} for i in range(40)]
        server.answer("/v1/models", {"data": [*listed, {"id": "<b>bold</b>"}]})
        server.answer("/locked/models", {}, 401)
        yield server


def test_a_key_is_saved_tested_and_deleted_in_place(alice: Visitor) -> None:
    alice.allowed.add(422)
    page = alice.open("/settings/keys")
    alice.check_axe()
    demo = page.get_by_role("listitem").filter(has_text="Demo (simulated)")
    demo.get_by_role("button", name="Test").click()
    expect(demo.get_by_text("Works")).to_be_visible(timeout=40_000)

    openai = page.get_by_role("listitem").filter(has_text="OpenAI").first
    openai.get_by_role("textbox", name="Key of OpenAI").fill("two words")
    openai.get_by_role("button", name="Save").click()
    expect(openai.get_by_text("A key has no spaces")).to_be_visible()
    openai.get_by_role("textbox", name="Key of OpenAI").fill(KEY)
    openai.get_by_role("button", name="Save").click()
    expect(openai.get_by_text("Ends in cdef")).to_be_visible()
    assert KEY not in page.content()
    alice.check_axe()
    alice.shoot("settings-keys")

    openai.get_by_label("Delete the key of OpenAI").click()
    openai.get_by_role("button", name="Delete the key").click()
    expect(openai.get_by_text("No key yet")).to_be_visible()


def test_models_of_an_own_address_are_listed_filtered_ticked_and_edited(
    alice: Visitor, gateway: Hostile
) -> None:
    alice.allowed.add(422)
    page = alice.open("/settings/providers")
    alice.check_axe()
    page.get_by_label("Name").fill("<b>Gateway</b>")
    page.get_by_label("Base URL").fill("gateway/v1")
    page.get_by_role("button", name="Add and list its models").click()
    expect(page.get_by_text("Give an address that starts with http://")).to_be_visible()
    alice.check_axe()

    page.get_by_label("Base URL").fill(f"{gateway.url}/v1")
    page.get_by_role("button", name="Add and list its models").click()
    expect(page.get_by_label("Filter the models")).to_be_visible(timeout=20_000)
    expect(page.get_by_text("<b>bold</b>")).to_be_visible()
    alice.check_axe()
    alice.shoot("settings-models-found")

    page.get_by_label("Filter the models").fill("vendor-3")
    page.get_by_label("Tick all shown").check()
    expect(page.get_by_text("10 ticked")).to_be_visible()
    page.get_by_label("Filter the models").fill("nothing like it")
    expect(page.get_by_text("No model matches the filter.")).to_be_visible()
    page.get_by_role("button", name="Add the ticked models").click()
    expect(page.get_by_role("row")).to_have_count(11)

    page.get_by_role("button", name="On vendor-3/model-3,").click()
    expect(page.get_by_role("button", name="Off vendor-3/model-3,")).to_be_visible()
    alice.check_axe()
    alice.shoot("settings-provider")

    page.get_by_role("link", name="vendor-3/model-7").click()
    page.get_by_label("Context window, tokens").fill("0")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Give a whole number from 1 to 100,000,000")).to_be_visible()
    alice.check_axe()
    page.get_by_label("Context window, tokens").fill("4,096")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("row").filter(has_text="vendor-3/model-7")).to_contain_text("4,096")


def test_a_provider_that_refuses_says_so_and_can_be_deleted(
    alice: Visitor, gateway: Hostile
) -> None:
    page = alice.open("/settings/providers")
    page.get_by_label("Base URL").fill(f"{gateway.url}/locked")
    page.get_by_label("Name").fill("Locked")
    page.get_by_role("button", name="Add and list its models").click()
    expect(page.get_by_text("Locked asks for a key (HTTP 401).")).to_be_visible(timeout=20_000)
    alice.check_axe()
    page.get_by_text("Delete", exact=True).click()
    page.get_by_role("button", name="Delete the provider").click()
    page.wait_for_url("**/settings/providers")
    expect(page.get_by_text("Locked is deleted.")).to_be_visible()


def test_everything_works_without_scripts(alice: Visitor) -> None:
    state = alice.context.storage_state()
    browser = alice.context.browser
    assert browser is not None
    context = browser.new_context(java_script_enabled=False, storage_state=state)
    page = context.new_page()
    page.goto(f"{alice.studio.url}/settings/keys")
    openai = page.get_by_role("listitem").filter(has_text="OpenAI").first
    openai.get_by_role("textbox", name="Key of OpenAI").fill(KEY)
    openai.get_by_role("button", name="Save").click()
    assert "The key of OpenAI is saved." in page.content()
    demo = page.get_by_role("listitem").filter(has_text="Demo (simulated)")
    demo.get_by_role("button", name="Test").click()
    assert page.url.endswith("/settings/keys")
    for _ in range(60):
        if demo.get_by_text("Works").count():
            break
        page.wait_for_timeout(500)
        page.reload()
    expect(demo.get_by_text("Works")).to_be_visible()
    context.close()
