"""Somebody with a browser window, who looks closely.

Everything that goes wrong behind a page is noted in `problems`: console errors and warnings
(violations of the content security policy are among them), exceptions, answers of 500 and
more. The fixture that makes visitors fails on them.
"""

from __future__ import annotations

import itertools
import re
import shutil
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from playwright.sync_api import BrowserContext, ConsoleMessage, Locator, Page, Response, expect

from tests.browser.studio import PASSWORD, ROOT, Studio

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
BROWSER_FLAGS = ["--no-sandbox", "--disable-background-networking", "--disable-gpu"]
SHOTS = Path(__file__).with_name("shots")
AXE = ROOT / "node_modules" / "axe-core" / "axe.min.js"
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "best-practice"]
SIZES = {"wide": (1280, 900), "narrow": (360, 740)}
# A run of a few short answers, with a busy machine in mind, in milliseconds.
RUN_MS = 60_000
_numbers = itertools.count(1)

# Fonts are there, charts have the width of their frames, and that is on the screen.
_SETTLED = """async () => {
  await document.fonts.ready;
  const frame = () => new Promise(requestAnimationFrame);
  const fits = (canvas) => Math.abs(canvas.clientWidth - canvas.parentElement.clientWidth) < 2;
  for (let i = 0; i < 60; i++) {
    await frame();
    if ([...document.querySelectorAll(".chart canvas")].every(fits)) break;
  }
  await frame();
  await frame();
}"""
_AXE_RUN = """async (rules) => (await axe.run(document, {runOnly: rules})).violations.map(
  (v) => `${v.id}: ${v.help} at ${v.nodes.map((n) => n.target.join(" ")).slice(0, 4).join(", ")}`
)"""
# What sticks out to the right of the screen, innermost first.
_OVERFLOW = """() => {
  const page = document.documentElement;
  if (page.scrollWidth <= innerWidth) return [];
  return [...document.querySelectorAll("body *")]
    .filter((e) => e.getBoundingClientRect().right > innerWidth + 1)
    .map((e) => `${e.tagName}.${e.className}#${e.id}`).reverse().slice(0, 6);
}"""


@dataclass
class Visitor:
    """`allowed` holds HTTP statuses that a test expects and the console may complain about;
    `offline` says that it may complain about lost connections."""

    studio: Studio
    context: BrowserContext
    page: Page = field(init=False)
    email: str = field(init=False)
    problems: list[str] = field(default_factory=list)
    allowed: set[int] = field(default_factory=set)
    offline: bool = False

    def __post_init__(self) -> None:
        self.context.set_default_timeout(10_000)
        self.email = f"alice{next(_numbers)}@example.org"
        self.page = self.tab()

    def tab(self, path: str = "") -> Page:
        """A further tab of the same window, watched like the first."""
        page = self.context.new_page()
        page.on("console", self._heard)
        page.on("pageerror", lambda error: self.problems.append(f"page error: {error}"))
        page.on("response", self._answered)
        if path:
            page.goto(self.studio.url + path)
        return page

    def open(self, path: str) -> Page:
        self.page.goto(self.studio.url + path)
        return self.page

    def register(self) -> None:
        page = self.open("/register")
        page.get_by_label("E-mail").fill(self.email)
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Create account").click()
        page.wait_for_url(f"{self.studio.url}/")

    def sign_in(self, email: str) -> None:
        page = self.open("/login")
        page.get_by_label("E-mail").fill(email)
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("main").get_by_role("button", name="Sign in").click()
        page.wait_for_url(f"{self.studio.url}/")

    def post(self, path: str, data: dict[str, Any]) -> str:
        """Send a form as the page would, and give the address it leads to."""
        token = self.page.locator("#post [name=csrf_token]").input_value()
        pairs = [("csrf_token", token), *_pairs(data.items())]
        answer = self.page.evaluate(
            """async ([path, pairs]) => {
                 const sent = await fetch(path, {method: "POST", body: new URLSearchParams(pairs)});
                 return [sent.status, sent.url];
               }""",
            [path, pairs],
        )
        assert answer[0] == 200, f"{path} answered {answer[0]}"
        return str(answer[1])

    def start(self, *models: str, **fields: Any) -> int:
        """Start a benchmark and open its page; gives the run's number. `models` are ids of the
        demo provider, or "provider/model"."""
        targets = [name if "/" in name else f"demo/{name}" for name in models or ("fast-small",)]
        if not self.page.locator("#post").count():
            self.open("/")
        spec = {"runs": 2, "max_tokens": 12, "warmup": 0, "context_tiers": ["0"], "prompt": "Hi"}
        url = self.post("/benchmark", {"target": targets, **spec, **fields})
        self.page.goto(url)
        return run_number(self.page)

    def measured(self, *models: str, **fields: Any) -> int:
        """Start a benchmark and wait until it has ended."""
        run_id = self.start(*models, **fields)
        expect(state(self.page)).to_have_text("Done", timeout=RUN_MS)
        return run_id

    def check_axe(self, page: Page | None = None) -> None:
        """Fail on what axe finds on the page as it stands."""
        page = page or self.page
        page.evaluate(AXE.read_text())
        found = page.evaluate(_AXE_RUN, RULES)
        assert found == [], f"{page.url}\n" + "\n".join(found)

    def check_widths(self, page: Page | None = None) -> None:
        """Fail on a page that has to be pushed sideways, and on what axe finds, at both widths."""
        page = page or self.page
        for width, height in reversed(SIZES.values()):
            page.set_viewport_size({"width": width, "height": height})
            page.evaluate(_SETTLED)
            wide = page.evaluate(_OVERFLOW)
            assert wide == [], f"{page.url} is wider than {width} px: {', '.join(wide)}"
            self.check_axe(page)

    def shoot(self, name: str, page: Page | None = None, full: bool = True) -> None:
        """Keep the page at both widths in light and dark, whole or as much as a screen holds."""
        page = page or self.page
        SHOTS.mkdir(exist_ok=True)
        for word, (width, height) in reversed(SIZES.items()):
            for theme in ("dark", "light"):
                page.set_viewport_size({"width": width, "height": height})
                page.emulate_media(color_scheme=theme)
                page.evaluate(_SETTLED)
                if full:  # a screen as high as the page: what sticks to its end is there
                    whole = page.evaluate("document.documentElement.scrollHeight")
                    page.set_viewport_size({"width": width, "height": max(height, whole)})
                page.screenshot(path=SHOTS / f"{name}-{word}-{theme}.png")
        page.set_viewport_size({"width": width, "height": height})

    def _heard(self, message: ConsoleMessage) -> None:
        if message.type not in ("error", "warning"):
            return
        if self.offline and "[object Event]" in message.text:
            return  # how htmx's socket says that its connection was lost
        status = re.search(r"status of (\d{3})", message.text)
        if status and int(status.group(1)) in self.allowed:
            return
        if self.offline and re.search(r"net::ERR_|WebSocket", message.text):
            return
        self.problems.append(f"{message.type}: {message.text} at {message.location.get('url')}")

    def _answered(self, response: Response) -> None:
        if response.status >= 500 and response.status not in self.allowed:
            self.problems.append(f"{response.url} answered {response.status}")


def run_number(page: Page) -> int:
    """The number of the run whose page is open."""
    found = re.search(r"/benchmark/(\d+)", page.url)
    assert found, f"{page.url} is no page of a run"
    return int(found.group(1))


def state(page: Page) -> Locator:
    """The chip that says how a run stands."""
    return page.locator("#run-state")


def _pairs(items: Iterable[tuple[str, Any]]) -> Iterable[tuple[str, str]]:
    for name, value in items:
        for each in value if isinstance(value, list) else [value]:
            yield name, str(each)
