"""My jobs, and what can be done with one."""

from __future__ import annotations

from flask import Blueprint, Response, abort, jsonify, request, url_for

from jobs import submit
from webapp import htmx
from webapp.access import me, own_or_404
from webapp.auth.redirects import safe_next
from webapp.jobs_pages import live, queries
from webapp.models import Job

bp = Blueprint("jobs_pages", __name__)
bp.app_template_global("job_url")(queries.job_url)
bp.app_template_global("bell_of")(queries.bell)
bp.app_template_global("starts_in")(queries.starts_in)

__all__ = ["bp", "live"]


@bp.get("/jobs")
def index() -> Response:
    """All my jobs, newest first; `?state=` keeps one state, `?before=` goes on."""
    state, rows = _chosen()
    pages = "jobs_pages/index.html", "jobs_pages/_list.html"
    return htmx.page(*pages, jobs=rows, state=state, states=queries.STATES, full=queries.PAGE_SIZE)


@bp.get("/jobs.json")
def index_json() -> Response:
    """The same as data."""
    return jsonify(jobs=[queries.as_data(job) for job in _chosen()[1]])


@bp.post("/jobs/<int:job_id>/cancel")
def cancel(job_id: int) -> Response:
    """Stop a job; what it has measured is kept."""
    job = own_or_404(Job, job_id)
    if not submit.cancel(job):
        abort(409, "This job has ended already.")
    return _done("Stopping. What was measured so far is kept.")


@bp.post("/jobs/<int:job_id>/resume")
def resume(job_id: int) -> Response:
    """Run what is missing of a job that ended early."""
    job = own_or_404(Job, job_id)
    if not submit.resume(job):
        abort(409, "This job cannot be resumed: it is waiting, running or done.")
    return _done("Resumed. Only what is missing will run.")


@bp.post("/jobs/seen")
def seen() -> Response:
    """The bell was opened: nothing in it is new any more."""
    queries.mark_seen(me())
    return Response(status=204)


def _chosen() -> tuple[str, list[Job]]:
    state = request.args.get("state", "")
    if state and state not in queries.STATES:
        abort(404, "There is no such state. Choose one of the states offered.")
    before = request.args.get("before", type=int)
    return state, queries.listed(me(), state, before)


def _done(text: str) -> Response:
    if htmx.is_htmx():
        return htmx.toast(Response(status=204), text)
    return htmx.done(safe_next(request.form.get("next")) or url_for("jobs_pages.index"), text)
