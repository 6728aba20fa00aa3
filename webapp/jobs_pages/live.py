"""The bell on every page, live."""

from __future__ import annotations

from flask import render_template

from webapp.jobs_pages import queries
from webapp.live.topics import Fragments, topic
from webapp.models import User


@topic("jobs")
def bell(user: User, _: int) -> Fragments:
    """The count in the header, and the list behind it."""
    now = queries.bell(user)
    return {
        "bell-count": render_template("jobs_pages/_bell_count.html", bell=now),
        "bell-list": render_template("jobs_pages/_bell_list.html", bell=now),
    }
