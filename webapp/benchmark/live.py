"""The run page, live."""

from __future__ import annotations

from flask import render_template

from webapp.benchmark import report
from webapp.live.topics import Fragments, topic
from webapp.models import Run, User

# Each is a partial whose root element has the id.
PARTS = {
    "run-state": "benchmark/_state.html",
    "run-about": "benchmark/_about.html",
    "run-progress": "benchmark/_progress.html",
    "run-verdict": "benchmark/_verdict.html",
    "run-cards": "benchmark/_cards.html",
    "run-charts": "benchmark/_chart_data.html",
    "run-results": "benchmark/_results.html",
    "run-notices": "benchmark/_notices.html",
    "run-samples": "benchmark/_samples.html",
    "run-environment": "benchmark/_environment.html",
    "live-title": "benchmark/_title.html",
}


@topic("run", Run)
def fragments(user: User, run_id: int) -> Fragments | None:
    """Every part of the page that changes while a run goes on. Pages that were open at its end
    keep the progress panel, full; a page opened later has none."""
    run = Run.get_or_none((Run.id == run_id) & (Run.user == user.id) & Run.deleted_at.is_null())
    if run is None:
        return None
    shown = report.context(run) | {"watched": True}
    return {name: render_template(part, **shown) for name, part in PARTS.items()}
