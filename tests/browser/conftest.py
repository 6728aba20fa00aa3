"""Chromium against the real programs: web, worker, quick lane and demo provider.

Every test fails on console errors, on violations of the content security policy and on
what axe finds where it is asked; screenshots are kept in tests/browser/shots.
"""

from __future__ import annotations

import itertools
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, sync_playwright

ROOT = Path(__file__).resolve().parents[2]
SHOTS = Path(__file__).with_name("shots")
AXE = ROOT / "node_modules" / "axe-core" / "axe.min.js"
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
PASSWORD = "a-long-enough-passphrase"
WIDTHS = {"wide": 1280, "narrow": 360}
_numbers = itertools.count(1)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in Path(str(item.fspath)).parents:
            item.add_marker(pytest.mark.browser)


@dataclass
class Studio:
    """A running installation: `studio serve` on free ports with a data folder of its own."""

    data: Path
    process: subprocess.Popen[str]
    url: str

    def pids(self, needle: str) -> list[int]:
        """The processes of this installation whose command line holds `needle`."""
        found = subprocess.run(
            ["pgrep", "-s", str(os.getsid(self.process.pid)), "-f", needle],
            capture_output=True,
            text=True,
            check=False,
        )
        return [int(pid) for pid in found.stdout.split()]


@pytest.fixture(scope="session")
def studio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Studio]:
    """One installation for the whole group; tests have users of their own."""
    data = tmp_path_factory.mktemp("studio")
    env = {
        **os.environ,
        "STUDIO_DATA": str(data),
        "DEMO_PORT": "0",
        "HOST": "127.0.0.1",
        "ADMIN_EMAIL": "bob@example.org",
        "ADMIN_PASSWORD": PASSWORD,
    }
    process = subprocess.Popen(
        [str(Path(sys.executable).with_name("studio")), "serve", "--port", "0"],
        cwd=ROOT,
        env=env,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    try:
        yield Studio(data, process, _address_said_by(process))
    finally:
        _end(process)


def _address_said_by(process: subprocess.Popen[str]) -> str:
    said: list[str] = []
    for line in process.stdout or ():
        said.append(line)
        if found := re.search(r"runs at (http://[\d.:]+\d)", line):
            return found.group(1)
    pytest.fail("studio serve did not start:\n" + "".join(said))


def _end(process: subprocess.Popen[str]) -> None:
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(timeout=15)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    if process.stdout:
        process.stdout.close()


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM,
            args=["--no-sandbox", "--disable-background-networking", "--disable-gpu"],
        )
        yield browser
        browser.close()


@dataclass
class Visitor:
    """Somebody with a browser window. `allowed` holds HTTP statuses that a test expects."""

    studio: Studio
    context: BrowserContext
    page: Page
    email: str
    problems: list[str] = field(default_factory=list)
    allowed: set[int] = field(default_factory=set)

    def open(self, path: str) -> Page:
        self.page.goto(self.studio.url + path)
        return self.page

    def tab(self) -> Page:
        """A further tab of the same window, watched like the first."""
        page = self.context.new_page()
        self.watch(page)
        return page

    def watch(self, page: Page) -> None:
        page.on("console", self._heard)
        page.on("pageerror", lambda error: self.problems.append(f"page error: {error}"))

    def _heard(self, message: ConsoleMessage) -> None:
        if message.type not in ("error", "warning"):
            return
        status = re.search(r"status of (\d{3})", message.text)
        if status and int(status.group(1)) in self.allowed:
            return
        self.problems.append(f"{message.type}: {message.text}")

    def register(self) -> None:
        self.open("/register")
        self.page.get_by_label("E-mail").fill(self.email)
        self.page.get_by_label("Password", exact=False).first.fill(PASSWORD)
        self.page.get_by_role("main").get_by_role("button").first.click()
        self.page.wait_for_url(re.compile(rf"^{self.studio.url}/(home)?$"))

    def check_axe(self, page: Page | None = None) -> None:
        """Fail on what axe finds on the page as it stands."""
        page = page or self.page
        page.evaluate(AXE.read_text())
        found = page.evaluate(
            "async () => (await axe.run(document, {runOnly: ['wcag2a', 'wcag2aa', 'wcag21a',"
            " 'wcag21aa', 'best-practice']})).violations.map(v => v.id + ': ' + v.help + ' at '"
            " + v.nodes.map(n => n.target.join(' ')).slice(0, 4).join(', '))"
        )
        assert found == [], "\n".join(found)

    def shoot(self, name: str, page: Page | None = None, full: bool = True) -> None:
        """Keep the page at both widths in light and dark."""
        page = page or self.page
        SHOTS.mkdir(exist_ok=True)
        for theme in ("light", "dark"):
            page.emulate_media(color_scheme=theme)  # type: ignore[arg-type]
            for word, width in WIDTHS.items():
                page.set_viewport_size({"width": width, "height": 900 if width > 600 else 740})
                page.wait_for_timeout(150)
                page.screenshot(path=SHOTS / f"{name}-{word}-{theme}.png", full_page=full)
        page.set_viewport_size({"width": 1280, "height": 900})
        page.emulate_media(color_scheme="light")


@pytest.fixture
def visitor(studio: Studio, chromium: Browser) -> Iterator[Callable[..., Visitor]]:
    """Make visitors: `visitor()` is registered and signed in, `visitor(False)` a stranger."""
    made: list[Visitor] = []

    def make(registered: bool = True, **options: Any) -> Visitor:
        context = chromium.new_context(viewport={"width": 1280, "height": 900}, **options)
        context.set_default_timeout(10_000)
        page = context.new_page()
        someone = Visitor(studio, context, page, f"alice{next(_numbers)}@example.org")
        someone.watch(page)
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
def alice(visitor: Callable[..., Visitor]) -> Visitor:
    """A new user, signed in."""
    return visitor()
