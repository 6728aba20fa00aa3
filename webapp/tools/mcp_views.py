"""A suite from an MCP server: its address, the tools to tick, the suite."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from flask import Response, abort, current_app, request, url_for
from pydantic import ValidationError

from engine.specs import McpListSpec, explain
from engine.tools.starters import suite_of
from engine.tools.suites import Tool
from jobs import submit
from jobs.mcp_access import seal
from webapp import htmx
from webapp.access import me, own_or_404
from webapp.models import Job
from webapp.settings_pages import checks
from webapp.tools import store
from webapp.tools.blueprint import bp
from webapp.tools.documents import found_in
from webapp.tools.new_views import PAGE, context

NAMES = ("url", "transport", "headers", "command")
NOT_AN_ADDRESS = "Give an address that starts with http:// or https://."
NOT_A_HEADER = "Write one header a line, as in Authorization: Bearer …"
NOTHING_TICKED = "Tick the tools that the suite shall have."


@bp.post("/mcp")
def list_mcp() -> Response:
    """Ask a server for its tools, and wait for them on a page of their own."""
    typed = {name: request.form.get(name, "").strip() for name in NAMES}
    spec, errors = _spec(typed)
    if spec is None:
        return htmx.form_page(PAGE, "tools/_mcp_form.html", **context(typed=typed, errors=errors))
    host = spec.command or urlsplit(spec.url).netloc.rpartition("@")[2]
    job = submit.submit(me(), "mcp_list", spec, title=f"List the tools of {host}", lane="quick")
    return htmx.go(url_for(".mcp", job_id=job.id))


@bp.get("/mcp/<int:job_id>")
def mcp(job_id: int) -> Response:
    """The listing in its present state; while it waits it asks again by itself."""
    job = _listing(job_id)
    return htmx.page("tools/mcp.html", "tools/_mcp_found.html", **_found(job))


@bp.post("/mcp/<int:job_id>")
def suite_from_mcp(job_id: int) -> Response:
    """A suite of the ticked tools, with cases to start from where they are wanted."""
    job = _listing(job_id)
    if job.state != "done":
        abort(409, "The tools are not there yet. Wait for them, or ask again.")
    picked = request.form.getlist("tool")
    if not picked:
        abort(422, NOTHING_TICKED)
    tools = [Tool.model_validate(tool) for tool in job.result["tools"]]
    name = request.form.get("name", "").strip() or _name(job)
    made = suite_of(tools, name[:120], picked=picked, starters="starters" in request.form)
    wrong = found_in(made).problems
    if wrong:
        abort(422, " ".join(f"{path}: {sentence}" for path, sentence in wrong[:3]))
    row = store.create(me(), made, f"Tools of {_name(job)}")
    return htmx.done(url_for(".suite", suite_id=row.id), f"“{row.name}” is there.")


def _listing(job_id: int) -> Job:
    job = own_or_404(Job, job_id)
    if job.kind != "mcp_list":
        abort(404)
    return job


def _spec(typed: dict[str, str]) -> tuple[McpListSpec | None, dict[str, str]]:
    errors: dict[str, str] = {}
    sealed = ""
    if not typed["command"] and not _is_address(typed["url"]):
        errors["url"] = NOT_AN_ADDRESS
    try:
        sealed = seal(current_app.extensions["studio"], _headers(typed["headers"]))
    except ValueError as error:
        errors["headers"] = str(error)
    asked = {"command": typed["command"]} if typed["command"] else {"url": typed["url"]}
    asked |= {"transport": typed["transport"] or "auto", "sealed_headers": sealed}
    try:
        return (None if errors else McpListSpec.model_validate(asked)), errors
    except ValidationError as error:
        return None, errors | explain(error)


def _is_address(text: str) -> bool:
    try:
        parts = urlsplit(text)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False


def _headers(text: str) -> dict[str, str]:
    """Raises ValueError with a sentence."""
    found = {}
    for line in text.splitlines():
        name, colon, value = line.partition(":")
        if line.strip() and not colon:
            raise ValueError(NOT_A_HEADER)
        if line.strip():
            found[name.strip()] = value.strip()
    return found


def _name(job: Job) -> str:
    return str(job.title).removeprefix("List the tools of ")


def _found(job: Job) -> dict[str, Any]:
    return {"check": checks.look(job), "job": job, "server": _name(job)}
