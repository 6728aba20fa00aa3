"""A benchmark as its user lives it: started in two clicks, watched, lost, killed, resumed."""

from __future__ import annotations

import os
import re
import signal
import statistics
import sys
from collections.abc import Callable

from playwright.sync_api import expect

from tests.browser.conftest import MakeVisitor
from tests.browser.visitor import Visitor, run_number, state
from tests.helpers import eventually

RUN_MS = 90_000


def test_two_clicks_after_registering_a_live_demo_benchmark_fills_the_page(
    visitor: MakeVisitor,
) -> None:
    alice = visitor()
    page = alice.page
    page.get_by_role("button", name=re.compile("demo provider")).click()
    expect(state(page)).to_have_text("Running", timeout=RUN_MS)
    expect(page).to_have_title(re.compile(r"\d+\s%"), timeout=RUN_MS)
    eventually(lambda: len(alice.studio.samples_of(run_number(page))) >= 6, 60)
    alice.shoot("live", full=False)
    alice.check_axe()
    second = alice.tab(f"/benchmark/{run_number(page)}")
    expect(second.locator("#run-name, h1").first).to_be_visible()
    expect(state(page)).to_have_text("Done", timeout=RUN_MS)
    expect(state(second)).to_have_text("Done", timeout=RUN_MS)
    assert page.inner_text("main .cards") == second.inner_text("main .cards")
    drawn = page.locator("canvas").first.evaluate(
        "c => c.getContext('2d').getImageData(0, 0, c.width, c.height).data.some(v => v)"
    )
    assert drawn
    alice.check_axe()
    alice.shoot("report")


def test_closing_the_browser_changes_nothing(visitor: MakeVisitor) -> None:
    alice = visitor()
    run_id = alice.start("fast-small", runs=6, max_tokens=120)
    alice.page.close()
    eventually(lambda: alice.studio.job_of(run_id)["state"] == "done", 60)
    back = alice.tab(f"/benchmark/{run_id}")
    expect(state(back)).to_have_text("Done")
    assert len(alice.studio.samples_of(run_id)) == 6


def test_a_killed_web_process_comes_back_and_the_run_went_on(alice: Visitor) -> None:
    alice.offline = True
    run_id = alice.start("fast-small", runs=14, max_tokens=160)
    expect(state(alice.page)).to_have_text("Running", timeout=RUN_MS)
    for pid in alice.studio.pids("gunicorn"):
        os.kill(pid, signal.SIGKILL)
    eventually(lambda: alice.studio.job_of(run_id)["state"] == "done", 60)
    expect(state(alice.page)).to_have_text("Done", timeout=RUN_MS)
    assert alice.studio.job_of(run_id)["attempt"] == 1


def test_a_killed_worker_leaves_an_interrupted_run_that_resumes_what_is_missing(
    alice: Visitor,
) -> None:
    run_id = alice.start("fast-small", runs=12, max_tokens=160)
    eventually(lambda: len(alice.studio.samples_of(run_id)) >= 3, 60)
    os.kill(alice.studio.worker_pid(run_id), signal.SIGKILL)
    expect(state(alice.page)).to_have_text("Interrupted", timeout=60_000)
    kept = [row["id"] for row in alice.studio.samples_of(run_id)]
    alice.shoot("interrupted", full=False)
    alice.page.get_by_role("button", name="Resume").first.click()
    expect(state(alice.page)).to_have_text("Done", timeout=RUN_MS)
    rows = alice.studio.samples_of(run_id)
    assert [row["id"] for row in rows][: len(kept)] == kept
    assert sorted(row["run_index"] for row in rows) == list(range(12))


def test_a_stored_sample_is_on_the_page_within_a_moment(
    alice: Visitor, record_property: Callable[[str, object], None]
) -> None:
    run_id = alice.start("fast-small", runs=12, max_tokens=60)
    alice.page.evaluate(
        """() => {
             window.seen = [];
             new MutationObserver(() => {
               const text = document.querySelector("main").innerText;
               const done = text.match(/(\\d+) of 12 requests/);
               if (done && !window.seen.some(([n]) => n === done[1]))
                 window.seen.push([done[1], performance.timeOrigin + performance.now()]);
             }).observe(document.querySelector("main"), {subtree: true, childList: true,
                                                         characterData: true});
           }"""
    )
    expect(state(alice.page)).to_have_text("Done", timeout=RUN_MS)
    stored = [row["stored_at"] * 1000 for row in alice.studio.samples_of(run_id)]
    seen = dict(alice.page.evaluate("window.seen"))
    late = [seen[str(n)] - at for n, at in enumerate(stored, start=1) if str(n) in seen]
    figure = f"on the page {statistics.median(late):.0f} ms after it was stored (median)"
    record_property("fragment_ms", figure)
    sys.stderr.write(f"a sample was {figure}\n")
    assert len(late) >= 5
    assert statistics.median(late) < 1_500


def test_cancelling_keeps_what_was_measured(alice: Visitor) -> None:
    run_id = alice.start("fast-small", runs=40, max_tokens=160)
    eventually(lambda: len(alice.studio.samples_of(run_id)) >= 2, 60)
    alice.page.get_by_role("button", name="Cancel").first.click()
    expect(state(alice.page)).to_have_text("Cancelled", timeout=15_000)
    assert 2 <= len(alice.studio.samples_of(run_id)) < 40


def test_models_that_fail_are_shown_beside_those_that_do_not(alice: Visitor) -> None:
    alice.measured("fast-small", "flaky", runs=8, max_tokens=30)
    alice.check_axe()
    alice.shoot("failing")
