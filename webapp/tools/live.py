"""The page of an evaluation, live."""

from __future__ import annotations

from flask import render_template

from webapp.live.topics import Fragments, topic
from webapp.models import Eval, User
from webapp.tools import report

# Each is a partial whose root element has the id. The matrix is not among them: what it shows
# depends on the address, so it asks for itself when `eval-news` says that trials landed.
PARTS = {
    "eval-state": "tools/_state.html",
    "eval-about": "tools/_about.html",
    "eval-progress": "tools/_progress.html",
    "eval-trouble": "tools/_trouble.html",
    "eval-verdict": "tools/_verdict.html",
    "eval-cards": "tools/_cards.html",
    "eval-models": "tools/_models.html",
    "eval-breakdown": "tools/_breakdown.html",
    "eval-notices": "tools/_notices.html",
    "eval-news": "tools/_news.html",
    "live-title": "tools/_title.html",
}


@topic("eval", Eval)
def fragments(user: User, eval_id: int) -> Fragments | None:
    """Every part of the page that changes while an evaluation goes on. Pages that were open at
    its end keep the progress panel, full; a page opened later has none."""
    mine = (Eval.id == eval_id) & (Eval.user == user.id) & Eval.deleted_at.is_null()
    row = Eval.get_or_none(mine)
    if row is None:
        return None
    shown = report.context(row) | {"watched": True}
    return {name: render_template(part, **shown) for name, part in PARTS.items()}
