"""How long a stored sample takes to be on an open page, as the browser sees it.

The page notes when its progress bar changes; the database says when each sample was stored.
Both clocks are this machine's. `python -m tests.bench.live` prints the delays as JSON.
"""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from playwright.sync_api import Page, expect, sync_playwright

from tests.bench.outcome import Outcome
from tests.browser.studio import Studio, running_studio
from tests.browser.visitor import BROWSER_FLAGS, CHROMIUM, Visitor, state

RUNS, MAX_TOKENS = 40, 60
RUN_MS = 120_000

_WATCH = """() => {
  const value = () => document.querySelector("#run-progress progress")?.value ?? 0;
  const note = () => {
    const last = window.studioSeen.at(-1)?.[0] ?? 0;
    if (value() > last) {
      window.studioSeen.push([value(), performance.timeOrigin + performance.now()]);
    }
  };
  window.studioSeen = [[value(), 0]];
  new MutationObserver(note).observe(
    document.body, {subtree: true, childList: true, attributes: true},
  );
}"""


def watch(page: Page) -> None:
    """Let the page of a run note from now on when its progress bar shows more."""
    page.evaluate(_WATCH)


def delays_ms(page: Page, studio: Studio, run_id: int) -> list[float]:
    """For each sample that was stored while the page watched: milliseconds from then until
    the page showed as many requests as were stored by then."""
    (known, _), *seen = page.evaluate("window.studioSeen")
    stored = [row["stored_at"] * 1000 for row in studio.samples_of(run_id)]
    return [
        next(at for shown, at in seen if shown >= number) - moment
        for number, moment in enumerate(stored, start=1)
        if number > known and seen and number <= seen[-1][0]
    ]


def summary(delays: Sequence[float]) -> dict[str, Any]:
    """Median, p95 and most in milliseconds, and how many there were."""
    p50, p95 = np.percentile(delays, [50, 95])
    return {
        "samples": len(delays),
        "p50_ms": round(float(p50), 1),
        "p95_ms": round(float(p95), 1),
        "max_ms": round(max(delays), 1),
    }


def sentence(figures: dict[str, Any]) -> str:
    """The figures as they are printed."""
    return (
        f"A stored sample is on the page after {figures['p50_ms']:.0f} ms (median), "
        f"{figures['p95_ms']:.0f} ms (p95), n {figures['samples']}."
    )


def run(quick: bool) -> Outcome:
    """The delays, where there is a Chromium."""
    if not CHROMIUM:
        return Outcome(markdown="The delay of a page was not measured: no Chromium.")
    found = measure(RUNS // 4 if quick else RUNS)
    return Outcome(found, markdown=sentence(found))


def measure(runs: int = RUNS) -> dict[str, Any]:
    """Start everything, watch one benchmark of `runs` short requests in Chromium."""
    with (
        tempfile.TemporaryDirectory() as folder,
        running_studio(Path(folder)) as studio,
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=BROWSER_FLAGS)
        someone = Visitor(studio, browser.new_context())
        someone.register()
        run_id = someone.start("fast-small", runs=runs, max_tokens=MAX_TOKENS)
        watch(someone.page)
        expect(state(someone.page)).to_have_text("Done", timeout=RUN_MS)
        delays = delays_ms(someone.page, studio, run_id)
        browser.close()
    return summary(delays)


if __name__ == "__main__":
    json.dump(measure(), sys.stdout)
