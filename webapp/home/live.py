"""The start page, live."""

from __future__ import annotations

from flask import render_template

from webapp.home import queries
from webapp.live.topics import Fragments, topic
from webapp.models import User


@topic("home")
def fragments(user: User, _: int) -> Fragments:
    """Active jobs, the last benchmarks and the last evaluations."""
    now = queries.overview(user)
    return {
        "home-jobs": render_template("home/_jobs.html", **now),
        "home-runs": render_template("home/_runs.html", **now),
        "home-evals": render_template("home/_evals.html", **now),
    }
