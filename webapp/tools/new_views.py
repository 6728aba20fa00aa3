"""Where suites come from: the sample, a file or pasted text, an MCP server, or nothing."""

from __future__ import annotations

from typing import Any

from flask import Response, current_app, render_template, request, url_for

from engine.tools.io import FORMATS, Imported, ImportProblem, Source, import_suite
from engine.tools.samples import sample_suite
from webapp import htmx
from webapp.access import me
from webapp.catalog import read_config
from webapp.tools import store
from webapp.tools.blueprint import bp
from webapp.tools.documents import check

PAGE = "tools/new_suite.html"
NOTHING = "Choose a file, or paste its text."


@bp.get("/suites/new")
def new() -> str:
    """The four ways."""
    return render_template(PAGE, **context())


@bp.post("/suites/new")
def create() -> Response:
    """An empty suite with a name."""
    typed = {name: request.form.get(name, "").strip() for name in ("name", "description")}
    checked = check({name: text for name, text in typed.items() if text})
    if checked.suite is None:
        errors = {problem.path: problem.sentence for problem in checked.problems}
        shown = context(typed=typed, errors=errors)
        return htmx.form_page(PAGE, "tools/_blank_form.html", **shown)
    row = store.create(me(), checked.suite, "Made empty")
    return htmx.go(url_for("tools.suite", suite_id=row.id, tab="tools"))


@bp.post("/suites/sample")
def add_sample() -> Response:
    """A copy of the sample suite, to run and to change."""
    row = store.create(me(), sample_suite(), "The sample suite")
    return htmx.done(url_for("tools.suite", suite_id=row.id), f"“{row.name}” is added.")


@bp.post("/suites/import")
def import_file() -> Response:
    """The suite in files or in pasted text; what is refused names line and reason, and then
    nothing is stored."""
    typed = {name: request.form.get(name, "") for name in ("format", "suite_name", "text")}
    try:
        imported = _imported(typed)
    except ImportProblem as problem:
        shown = context(typed=typed, import_error=str(problem))
        return htmx.form_page(PAGE, "tools/_import_form.html", **shown)
    label = FORMATS[imported.format].LABEL
    row = store.create(me(), imported.suite, f"Imported: {label}")
    notes = " ".join([f"“{row.name}” is imported.", *imported.notes])
    return htmx.done(url_for("tools.suite", suite_id=row.id), notes)


def _imported(typed: dict[str, str]) -> Imported:
    """Raises ImportProblem."""
    files = [item for item in request.files.getlist("file") if item.filename]
    sources = [Source(str(item.filename), item.read()) for item in files]
    if not sources and typed["text"].strip():
        sources = [Source("", typed["text"].encode())]
    if not sources:
        raise ImportProblem(None, NOTHING)
    form, name = typed["format"] or None, typed["suite_name"]
    return import_suite(sources, form=form, name=name, check=True)


def context(**more: Any) -> dict[str, Any]:
    """What the page of the four ways needs."""
    formats = [("", "Found out from the text"), *((k, m.LABEL) for k, m in FORMATS.items())]
    commands = read_config(current_app.extensions["studio"]).mcp_commands
    allowed = [(key, item.display_name or key) for key, item in commands.items()]
    shown = {"typed": {}, "errors": {}, "import_error": "", "formats": formats}
    return shown | {"commands": allowed, **more}
