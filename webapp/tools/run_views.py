"""The form of a new evaluation, and what starts one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from flask import Response, current_app, make_response, render_template, request, url_for

from engine.targets import Target
from engine.tools.suites import Suite
from jobs.evals import eval_spec, start_eval
from jobs.targets import describe_targets
from webapp import htmx
from webapp.access import me, own_or_404
from webapp.benchmark import choices, queries
from webapp.benchmark.words import listed
from webapp.models import Eval, SuiteVersion
from webapp.tools import run_form, store
from webapp.tools.blueprint import bp
from webapp.tools.forecast import estimate
from webapp.tools.run_form import RunForm

PAGE, FRAGMENT = "tools/new_eval.html", "tools/_run_form.html"
# What htmx asks for by the id of the element it will replace.
PARTS = {"targets": "benchmark/_targets.html"}
MODES = [
    ("studio", "Studio: best matching, matchers"),
    ("bfcl", "BFCL: the leaderboard's rules"),
    ("schema", "Schema: arguments are valid"),
    ("state", "State: the mock tools' end state"),
]
TOOL_CHOICES = [
    ("auto", "auto"),
    ("required", "required"),
    ("named", "named: the tool a case expects"),
    ("none", "none"),
]


@bp.get("/evals/new")
def new_eval() -> Response:
    """The form: empty, with `?suite=`, or with `?from=` as that evaluation was."""
    number = request.args.get("from", 0, type=int)
    source = own_or_404(Eval, number) if "from" in request.args else None
    targets = _targets()
    form = run_form.blank(request.args.get("suite", "") or _only_suite())
    if source is not None:
        known = choices.refs(targets)
        form = run_form.from_spec(eval_spec(source), _suite_of(source), known)
    context = _context(form, targets, request.args.get("q", ""))
    return make_response(render_template(PAGE, source=source, **context))


@bp.post("/evals/new")
def change_eval() -> Response:
    """The form as typed, with one thing changed: a provider ticked, the list of models
    searched, or the forced call given up. Nothing is refused here."""
    targets = _targets()
    form = replace(run_form.read(request.form, choices.refs(targets)), errors={})
    search = request.form.get("q", "")
    changes = {request.form[name]: value for name, value in (("all", True), ("none", False))
               if name in request.form}  # fmt: skip
    shown = choices.groups(targets, form.targets, search)
    form = replace(form, targets=choices.tick(form.targets, shown, changes))
    if "auto" in request.form:
        form = replace(form, values=form.values | {"tool_choice": "auto"})
    part = PARTS.get(request.headers.get("HX-Target", ""), FRAGMENT) if htmx.is_htmx() else PAGE
    response = make_response(render_template(part, **_context(form, targets, search)))
    response.headers["HX-Trigger-After-Swap"] = "studio:ticked"
    return response


@bp.post("/evals/estimate")
def estimate_eval() -> str:
    """What the form as typed would do."""
    targets = _targets()
    form = run_form.read(request.form, choices.refs(targets))
    return render_template("tools/_run_estimate.html", **_forecast(form, targets))


@bp.post("/evals")
def create_eval() -> Response:
    """Start an evaluation, or show the form again with what is wrong."""
    targets = _targets()
    form = run_form.read(request.form, choices.refs(targets))
    version, suite = _suite(form)
    form = run_form.checked(form, suite, version.id if version else None)
    form = _with_keys(form, targets)
    if form.spec is None or suite is None:
        return htmx.form_page(PAGE, FRAGMENT, **_context(form, targets, ""))
    models = listed([target.label or target.model for target in _chosen(form, targets)])
    title = form.spec.name or f"{suite.name}: {models}"
    _, made = start_eval(me(), form.spec, suite, title=title, version=version)
    return htmx.go(url_for("tools.show", eval_id=made.id))


def _targets() -> list[Target]:
    return describe_targets(me(), current_app.extensions["studio"])


def _only_suite() -> str:
    """Where there is one suite, it is chosen."""
    rows = [row for row in store.suites(me()) if row.cases]
    return str(rows[0].id) if len(rows) == 1 else ""


def _suite_of(source: Eval) -> str:
    version = source.suite_version
    return str(version.suite_id) if version is not None else ""


def _suite(form: RunForm) -> tuple[SuiteVersion | None, Suite | None]:
    """The suite that is chosen, in its latest version."""
    number = int(form.suite) if form.suite.isdecimal() and len(form.suite) < 19 else 0
    row = next((one for one in store.suites(me()) if one.id == number), None)
    if row is None:
        return None, None
    version = store.latest(row)
    return version, store.suite_of(version)


def _chosen(form: RunForm, targets: Sequence[Target]) -> list[Target]:
    return [target for target in targets if str(target.ref) in form.targets]


def _with_keys(form: RunForm, targets: Sequence[Target]) -> RunForm:
    """Refuse what the spec alone cannot see: a model without a key."""
    problem = next((t.problem for t in _chosen(form, targets) if t.problem), None)
    return form.refuse("targets", problem) if problem else form


def _forecast(form: RunForm, targets: Sequence[Target]) -> dict[str, Any]:
    """The estimate of a form that could start; else a hint what is missing."""
    _, suite = _suite(form)
    found: dict[str, Any] = {"needless": run_form.needless(suite, form), "consequence": None}
    ready = run_form.checked(form, suite, None)
    if ready.spec is None or suite is None:
        name, sentence = next(iter(ready.errors.items()), ("", "Choose at least one model."))
        return found | {"hint": run_form.with_label(name, sentence)}
    known = estimate(ready.spec, suite, _chosen(form, targets), queries.paces(me()))
    return found | {"consequence": known, "hint": ""}


def _context(form: RunForm, targets: Sequence[Target], search: str) -> dict[str, Any]:
    rows = store.suites(me())
    models = [(str(target.ref), f"{target.label or target.model}, {target.provider_label}")
              for target in targets if not target.problem]  # fmt: skip
    return {
        "form": form,
        "groups": choices.groups(targets, form.targets, search),
        "search": search,
        "suites": [(row.id, f"{row.name} ({row.cases})") for row in rows],
        "modes": MODES,
        "tool_choices": TOOL_CHOICES,
        "askable": [("", "None"), *models],
        "change_url": url_for("tools.change_eval"),
        "all_models_url": url_for("tools.new_eval", suite=form.suite or None),
        **_forecast(form, targets),
    }
