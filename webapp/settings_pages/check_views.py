"""Where a page asks how a check is doing."""

from __future__ import annotations

from flask import Response, abort, render_template, url_for

from webapp import htmx
from webapp.access import me, own_or_404
from webapp.models import Job, Provider
from webapp.settings_pages import checks, contexts
from webapp.settings_pages.blueprint import bp

FRAGMENTS = {
    "key_test": "settings_pages/_key_check.html",
    "model_list": "settings_pages/_found.html",
}


@bp.get("/checks/<int:job_id>")
def check(job_id: int) -> Response:
    """The fragment in its present state; while it waits it asks again by itself."""
    job = own_or_404(Job, job_id)
    row = Provider.get_or_none(Provider.id == job.subject, Provider.user == me().id)
    if job.kind not in FRAGMENTS or row is None:
        abort(404)
    if not htmx.is_htmx():
        return htmx.go(_page_of(job, row))
    context = contexts.found(row) | {"check": checks.look(job)}
    return Response(render_template(FRAGMENTS[job.kind], **context))


def _page_of(job: Job, row: Provider) -> str:
    if job.kind == "key_test":
        return url_for(".keys")
    return url_for(".provider", provider_id=row.id)
