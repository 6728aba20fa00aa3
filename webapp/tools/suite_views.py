"""The list of suites, and the page of one."""

from __future__ import annotations

import io
import zipfile
from typing import Any

from flask import Response, abort, jsonify, render_template, request, url_for

from engine.tools.io import FORMATS, export_suite
from engine.tools.io.studio import KEY as STUDIO
from engine.tools.io.studio import dumps
from webapp import htmx, removal
from webapp.access import me, own_or_404
from webapp.downloads import download
from webapp.history.rows import csv_text
from webapp.models import SuiteRow
from webapp.tools import evals, listing, store
from webapp.tools.blueprint import bp

TABS = [("cases", "Cases"), ("tools", "Tools"), ("versions", "Versions")]
COLUMNS = ("id", "name", "url", "version", "tools", "cases", "created_at", "updated_at")


@bp.get("")
def index() -> str:
    """The suites, and the latest evaluations."""
    rows = store.suites(me())
    return render_template("tools/index.html", suites=rows, evals=evals.latest(me()))


@bp.get("/suites.json")
def suites_json() -> Response:
    """The suites as data."""
    return jsonify(suites=[_as_data(row) for row in store.suites(me())])


@bp.get("/suites.csv")
def suites_csv() -> Response:
    """The values of the JSON, one line a suite."""
    text = csv_text(COLUMNS, (_as_data(row) for row in store.suites(me())))
    return download(text, "text/csv", "suites.csv")


@bp.get("/suites/<int:suite_id>")
def suite(suite_id: int) -> Response:
    """A suite: its cases, its tools or its versions; `?version=` shows an older one."""
    row = own_or_404(SuiteRow, suite_id)
    shown = store.version(row, request.args.get("version", row.number, type=int))
    tab = request.args.get("tab", "cases")
    context: dict[str, Any] = {"row": row, "shown": shown, "tab": tab, "tabs": TABS}
    context["exports"] = [(key, module.LABEL) for key, module in FORMATS.items() if key != STUDIO]
    context |= listing.context(row, shown, tab, request.args)
    if tab == "cases" and not htmx.is_htmx():
        context["noted"] = listing.noted(shown)
    return htmx.page("tools/suite.html", "tools/_case_list.html", **context)


@bp.get("/suites/<int:suite_id>.json")
def suite_json(suite_id: int) -> Response:
    """The document "studio.suite/1" of a version, the latest unless `?version=` says."""
    row = own_or_404(SuiteRow, suite_id)
    shown = store.version(row, request.args.get("version", row.number, type=int))
    return download(dumps(store.suite_of(shown)), "application/json", f"suite-{row.id}.json")


@bp.get("/suites/<int:suite_id>/export/<form>")
def export(suite_id: int, form: str) -> Response:
    """The suite in another format; several files come as one archive, with a list of the cases
    that the format cannot say."""
    row = own_or_404(SuiteRow, suite_id)
    if form not in FORMATS:
        abort(404)
    made = export_suite(store.suite_of(store.latest(row)), form)
    files = dict(made.files)
    if made.left_out:
        files["left-out.txt"] = "".join(f"{one.case}: {one.reason}\n" for one in made.left_out)
    if not files:
        files["left-out.txt"] = "Nothing of this suite can be said in this format.\n"
    if len(files) == 1 and made.files:
        ((name, text),) = files.items()
        return download(text, "application/json", name)
    return download(_archive(files), "application/zip", f"suite-{row.id}-{form}.zip")


@bp.post("/suites/<int:suite_id>/restore")
def restore_version(suite_id: int) -> Response:
    """Make an older version the latest again, as a version of its own."""
    row = own_or_404(SuiteRow, suite_id)
    old = store.version(row, request.args.get("version", 0, type=int))
    store.save(row, store.suite_of(old), f"As in version {old.number}", row.number)
    text = f"Version {old.number} is the latest again."
    return htmx.done(url_for("tools.suite", suite_id=row.id), text)


@bp.post("/suites/<int:suite_id>/delete")
def delete_suite(suite_id: int) -> Response:
    """Put a suite away; for some minutes it can be brought back."""
    undo = url_for("tools.undelete_suite", suite_id=suite_id)
    return removal.delete_one(SuiteRow, suite_id, to=url_for("tools.index"), undo=undo)


@bp.post("/suites/<int:suite_id>/undelete")
def undelete_suite(suite_id: int) -> Response:
    """Bring a deleted suite back."""
    to = url_for("tools.suite", suite_id=suite_id)
    return removal.restore_one(SuiteRow, suite_id, to=to)


def _archive(files: dict[str, str]) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return packed.getvalue()


def _as_data(row: SuiteRow) -> dict[str, Any]:
    url = url_for("tools.suite", suite_id=row.id)
    names = ("id", "name", "tools", "cases", "created_at", "updated_at")
    return {"url": url, "version": row.number} | {name: getattr(row, name) for name in names}
