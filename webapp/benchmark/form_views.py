"""The form of a new benchmark, and what starts one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from flask import Response, abort, current_app, make_response, render_template, request, url_for

from engine.config import Config
from engine.specs import BenchmarkSpec
from engine.targets import Target
from jobs.targets import describe_targets
from webapp import htmx
from webapp.access import me, own_or_404
from webapp.benchmark import choices, forms, launch, load_form, queries, workload_form
from webapp.benchmark.blueprint import bp
from webapp.benchmark.estimate import Estimate, estimate
from webapp.benchmark.forms import BenchmarkForm
from webapp.catalog import read_config
from webapp.formats import count, tier
from webapp.models import Run

PAGE, FRAGMENT = "benchmark/new.html", "benchmark/_form.html"
# What htmx asks for by the id of the element it will replace.
PARTS = {"targets": "benchmark/_targets.html", "prompt-field": "benchmark/_prompt.html"}
NO_ROOM = "None of the chosen models has room for these sizes. Choose a smaller one."
# The worker lays a load run out before it starts.
LOAD_MOST = 1_000_000
TOO_MANY = "That makes {} requests, and a run takes {} at most. Choose fewer or lower levels."
NO_DEMO = "The demo provider is not among yours. Bring it back in Settings → Providers."


@bp.get("/new")
def new() -> Response:
    """The empty form, or with `?from=` the form that built that run."""
    number = request.args.get("from", 0, type=int)
    source = own_or_404(Run, number) if "from" in request.args else None
    targets = _targets()
    form = forms.blank(_config().defaults.model_dump())
    if source is not None:
        form = forms.again(BenchmarkSpec.model_validate(source.spec), choices.refs(targets))
    search = request.args.get("q", "")
    return make_response(render_template(PAGE, source=source, **_context(form, targets, search)))


@bp.post("/new")
def change() -> Response:
    """The form as typed, with one thing changed: a provider ticked, a template chosen, or
    the list of models searched. Nothing is refused here."""
    targets = _targets()
    form = _kept(targets)
    search = request.form.get("q", "")
    changes = {request.form[name]: value for name, value in (("all", True), ("none", False))
               if name in request.form}  # fmt: skip
    shown = choices.groups(targets, form.targets, search)
    form = replace(form, targets=choices.tick(form.targets, shown, changes))
    template = _config().prompt_templates.get(form.template)
    if template is not None and "use_template" in request.form:
        form = replace(form, values=form.values | {"prompt": template.prompt})
    part = PARTS.get(request.headers.get("HX-Target", "")) if htmx.is_htmx() else None
    response = make_response(render_template(part or PAGE, **_context(form, targets, search)))
    response.headers["HX-Trigger-After-Swap"] = "studio:ticked"
    return response


@bp.post("/estimate")
def estimate_now() -> str:
    """What the form as typed would do."""
    targets = _targets()
    form = forms.read(request.form, choices.refs(targets))
    return render_template("benchmark/_estimate.html", **_forecast(form, targets))


@bp.post("")
def create() -> Response:
    """Start a benchmark, or show the form again with what is wrong."""
    targets = _targets()
    form = _checked(forms.read(request.form, choices.refs(targets)), targets)
    if form.spec is None:
        return htmx.form_page(PAGE, FRAGMENT, **_context(form, targets, ""))
    run = launch.start(me(), form.spec, _chosen(form.spec, targets))
    return htmx.go(url_for("benchmark.show", run_id=run.id))


@bp.post("/demo")
def try_demo() -> Response:
    """Start a short benchmark of the demo provider's models."""
    targets = _targets()
    spec = launch.demo_spec(targets)
    if spec is None:
        abort(409, NO_DEMO)
    run = launch.start(me(), spec, _chosen(spec, targets))
    return htmx.go(url_for("benchmark.show", run_id=run.id))


def _targets() -> list[Target]:
    return describe_targets(me(), current_app.extensions["studio"])


def _config() -> Config:
    return read_config(current_app.extensions["studio"])


def _kept(targets: Sequence[Target]) -> BenchmarkForm:
    return replace(forms.read(request.form, choices.refs(targets)), errors={})


def _chosen(spec: BenchmarkSpec, targets: Sequence[Target]) -> list[Target]:
    by_ref = {target.ref: target for target in targets}
    return [by_ref[ref] for ref in spec.targets if ref in by_ref]


def _checked(form: BenchmarkForm, targets: Sequence[Target]) -> BenchmarkForm:
    """Refuse what the spec alone cannot see: a model without a key, nothing left to do."""
    if form.spec is None:
        return form
    chosen = _chosen(form.spec, targets)
    problem = next((target.problem for target in chosen if target.problem), None)
    if problem:
        return form.refuse("targets", problem)
    requests = estimate(form.spec, chosen, {}).requests
    if requests == 0:
        return form.refuse("context_tiers", NO_ROOM)
    if form.spec.load and requests > LOAD_MOST:
        return form.refuse("levels", TOO_MANY.format(count(requests), count(LOAD_MOST)))
    return form


def _forecast(form: BenchmarkForm, targets: Sequence[Target]) -> dict[str, Any]:
    """The estimate of a form that could start; else a hint what is missing."""
    if form.spec is None:
        field, sentence = next(iter(form.errors.items()), ("", "Choose at least one model."))
        return {"consequence": None, "hint": forms.with_label(field, sentence)}
    chosen = _chosen(form.spec, targets)
    known: Estimate = estimate(form.spec, chosen, queries.paces(me()))
    return {"consequence": known, "hint": ""}


def _context(form: BenchmarkForm, targets: Sequence[Target], search: str) -> Mapping[str, Any]:
    config = _config()
    return {
        "form": form,
        "groups": choices.groups(targets, form.targets, search),
        "search": search,
        "offered": [(size, tier(size)) for size in forms.sizes(form, config.defaults)],
        "modes": load_form.MODES,
        "arrivals": load_form.ARRIVALS,
        "asks": workload_form.ASKS,
        "caches": workload_form.CACHES,
        "templates": forms.by_category(config.prompt_templates),
        **_forecast(form, targets),
    }
