"""The editors of a suite, a tool and a case, and the JSON of the whole; all of them end in
the same check, and in a new version."""

from __future__ import annotations

from typing import Any

from flask import Response, abort, make_response, render_template, request, url_for

from webapp import htmx
from webapp.access import own_or_404
from webapp.models import SuiteRow
from webapp.tools import case_form, matchers, store
from webapp.tools.blueprint import bp
from webapp.tools.case_form import CaseForm
from webapp.tools.documents import Checked, check, check_text, pretty
from webapp.tools.part_forms import SettingsForm, ToolForm

SETTINGS, TOOL, CASE, JSON = ("settings", "tool", "case", "json")


@bp.get("/suites/<int:suite_id>/edit")
def edit(suite_id: int) -> Response:
    """Name, description, system prompt and the usual matcher."""
    row = own_or_404(SuiteRow, suite_id)
    return _form(row, SETTINGS, SettingsForm.of(store.latest(row).content))


@bp.post("/suites/<int:suite_id>/edit")
def save_settings(suite_id: int) -> Response:
    """Store them as a new version."""
    row = own_or_404(SuiteRow, suite_id)
    form = SettingsForm.typed(request.form)
    checked = check(form.into(_content(row)))
    if checked.suite is None:
        return _form(row, SETTINGS, form.refused(checked.problems))
    return _saved(row, checked, "Settings changed", "cases")


@bp.get("/suites/<int:suite_id>/json")
def edit_json(suite_id: int) -> Response:
    """The whole document."""
    row = own_or_404(SuiteRow, suite_id)
    return _form(row, JSON, None, text=pretty(store.latest(row).content))


@bp.post("/suites/<int:suite_id>/json")
def save_json(suite_id: int) -> Response:
    """Store the document as a new version."""
    row = own_or_404(SuiteRow, suite_id)
    text = request.form.get("text", "")
    checked = check_text(text)
    if checked.suite is None:
        return _form(row, JSON, None, text=text, problems=checked.problems)
    return _saved(row, checked, "JSON changed", "cases")


@bp.get("/suites/<int:suite_id>/tools/new")
@bp.get("/suites/<int:suite_id>/tools/<int:place>")
def edit_tool(suite_id: int, place: int = 0) -> Response:
    """One tool; `place` counts from 1."""
    row = own_or_404(SuiteRow, suite_id)
    tools = _content(row).get("tools", [])
    form = ToolForm.of(_part(tools, place)) if place else ToolForm.blank()
    return _form(row, TOOL, form, place=place)


@bp.post("/suites/<int:suite_id>/tools/new")
@bp.post("/suites/<int:suite_id>/tools/<int:place>")
def save_tool(suite_id: int, place: int = 0) -> Response:
    """Store a tool as it is now."""
    row = own_or_404(SuiteRow, suite_id)
    content = _content(row)
    tools = list(content.get("tools", []))
    form = ToolForm.typed(request.form)
    tool = form.into(_part(tools, place) if place else {})
    tools[place - 1 if place else len(tools) : place or None] = [tool]
    checked = check(content | {"tools": tools})
    if form.errors or checked.suite is None:
        prefix = f"tools.{(place or len(tools)) - 1}."
        return _form(row, TOOL, form.refused(checked.problems, prefix), place=place)
    note = f"{form.values['name']} {'changed' if place else 'added'}"
    return _saved(row, checked, note, "tools")


@bp.post("/suites/<int:suite_id>/<kind>/<int:place>/delete")
def delete_part(suite_id: int, kind: str, place: int) -> Response:
    """Leave a tool or a case out of the next version."""
    row = own_or_404(SuiteRow, suite_id)
    if kind not in ("tools", "cases"):
        abort(404)
    content = _content(row)
    parts = list(content.get(kind, []))
    gone = _part(parts, place)
    del parts[place - 1]
    checked = check(content | {kind: parts})
    if checked.suite is None:
        abort(409, " ".join(problem.sentence for problem in checked.problems[:3]))
    name = gone.get("name") or gone.get("id")
    return _saved(row, checked, f"{name} removed", kind)


@bp.get("/suites/<int:suite_id>/cases/new")
@bp.get("/suites/<int:suite_id>/cases/<int:place>")
def edit_case(suite_id: int, place: int = 0) -> Response:
    """One case; `place` counts from 1."""
    row = own_or_404(SuiteRow, suite_id)
    cases = _content(row).get("cases", [])
    form = case_form.from_case(_part(cases, place)) if place else case_form.BLANK
    return _form(row, CASE, form, place=place)


@bp.post("/suites/<int:suite_id>/cases/change")
def change_case(suite_id: int) -> Response:
    """The form as typed, with a call or an argument more or less. Nothing is refused here."""
    row = own_or_404(SuiteRow, suite_id)
    form = case_form.changed(case_form.read(request.form), request.form.get("do", ""))
    place = request.form.get("place", 0, type=int)
    template = "tools/_expected_calls.html" if htmx.is_htmx() else "tools/edit.html"
    return make_response(render_template(template, **_context(row, CASE, form, place=place)))


@bp.post("/suites/<int:suite_id>/cases/new")
@bp.post("/suites/<int:suite_id>/cases/<int:place>")
def save_case(suite_id: int, place: int = 0) -> Response:
    """Store a case as it is now."""
    row = own_or_404(SuiteRow, suite_id)
    content = _content(row)
    cases = list(content.get("cases", []))
    form = case_form.read(request.form)
    case, errors = case_form.build(form)
    if place:
        _part(cases, place)
    cases[place - 1 if place else len(cases) : place or None] = [case]
    checked = Checked(None) if errors else check(content | {"cases": cases})
    if checked.suite is None:
        form = CaseForm(form.values, form.kind, form.strict, form.alternatives, errors)
        prefix = f"cases.{(place or len(cases)) - 1}."
        return _form(row, CASE, case_form.refused(form, checked.problems, prefix), place=place)
    note = f"{case['id']} {'changed' if place else 'added'}"
    return _saved(row, checked, note, "cases")


def _content(row: SuiteRow) -> dict[str, Any]:
    content: dict[str, Any] = store.latest(row).content
    return content


def _part(parts: list[dict[str, Any]], place: int) -> dict[str, Any]:
    if not 0 < place <= len(parts):
        abort(404, "This suite has no such part any more. Open the suite again.")
    return parts[place - 1]


def _saved(row: SuiteRow, checked: Checked, note: str, tab: str) -> Response:
    if checked.suite is None:
        raise ValueError("a suite that was refused is not stored")
    read = request.form.get("version", row.number, type=int)
    saved = store.save(row, checked.suite, note, read)
    text = f"Saved as version {saved}." if saved else "Nothing was different."
    return htmx.done(url_for("tools.suite", suite_id=row.id, tab=tab), text)


def _context(row: SuiteRow, what: str, form: Any, **more: Any) -> dict[str, Any]:
    content = _content(row)
    return {
        "row": row,
        "what": what,
        "form": form,
        "place": 0,
        "problems": (),
        "save_url": _save_url(row, what, int(more.get("place", 0))),
        "version": request.form.get("version", row.number, type=int),
        "matcher_options": [("", "as the suite says"), *matchers.OPTIONS],
        "kinds": case_form.KINDS,
        "tool_names": [tool["name"] for tool in content.get("tools", ())],
        **more,
    }


def _save_url(row: SuiteRow, what: str, place: int) -> str:
    endpoint = f"tools.save_{what}"
    if what in (TOOL, CASE) and place:
        return url_for(endpoint, suite_id=row.id, place=place)
    return url_for(endpoint, suite_id=row.id)


def _form(row: SuiteRow, what: str, form: Any, **more: Any) -> Response:
    """The editor; 422 when something in it was refused."""
    context = _context(row, what, form, **more)
    wrong = more.get("problems") or (form is not None and (form.errors or form.general))
    return htmx.page(
        "tools/edit.html", "tools/_edit_form.html", status=422 if wrong else 200, **context
    )
