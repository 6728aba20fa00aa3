"""Chromium against the real programs: web, worker, quick lane and demo provider.

Every test fails on console errors, on violations of the content security policy and on
what axe finds where it is asked; screenshots are kept in tests/browser/shots.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, sync_playwright

from tests.browser.studio import Studio, running_studio
from tests.browser.visitor import BROWSER_FLAGS, CHROMIUM, SIZES, Visitor

MakeVisitor = Callable[..., Visitor]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in Path(str(item.fspath)).parents:
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="session")
def studio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Studio]:
    """One installation for the whole group; tests have users of their own."""
    with running_studio(tmp_path_factory.mktemp("studio")) as studio:
        yield studio


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=BROWSER_FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def visitor(studio: Studio, chromium: Browser) -> Iterator[MakeVisitor]:
    """Make visitors: `visitor()` is registered and signed in, `visitor(False)` a stranger."""
    made: list[Visitor] = []

    def make(registered: bool = True, **options: Any) -> Visitor:
        width, height = SIZES["wide"]
        options.setdefault("viewport", {"width": width, "height": height})
        someone = Visitor(studio, chromium.new_context(**options))
        made.append(someone)
        if registered:
            someone.register()
        return someone

    yield make
    problems = [problem for someone in made for problem in someone.problems]
    for someone in made:
        someone.context.close()
    assert problems == []


@pytest.fixture
def alice(visitor: MakeVisitor) -> Visitor:
    """A new user, signed in."""
    return visitor()
