"""One run: live view and report at the same address, its twins, and what is done with it."""

from __future__ import annotations

from flask import (
    Response,
    abort,
    current_app,
    jsonify,
    make_response,
    render_template,
    request,
    url_for,
)
from pydantic import ValidationError

from engine.report import to_csv, to_json
from engine.specs import BenchmarkSpec, explain
from engine.speed.promptsets import to_jsonl
from jobs import submit
from jobs.results import run_document, run_results, run_spec
from jobs.store import load_targets
from webapp import db, htmx, removal
from webapp.access import me, own_or_404
from webapp.benchmark import queries, report
from webapp.benchmark.blueprint import bp
from webapp.benchmark.command import PROMPT_MAX_CHARS, PROMPTS_FILE, bench_commands
from webapp.benchmark.launch import default_name
from webapp.benchmark.one_sample import one_sample
from webapp.benchmark.table import KEYS
from webapp.catalog import read_config
from webapp.downloads import download
from webapp.models import Job, Run, SampleRow

NAME_PAGE, NAME_PART = "benchmark/show.html", "benchmark/_name.html"


@bp.get("")
def index() -> str:
    """The latest benchmarks, and where new ones begin."""
    return render_template("benchmark/index.html", runs=queries.last_runs(me()))


@bp.get("/<int:run_id>")
def show(run_id: int) -> str:
    """A run while it goes on and afterwards."""
    run = own_or_404(Run, run_id)
    return render_template(NAME_PAGE, **_page(run), editing="rename" in request.args)


@bp.get("/<int:run_id>.json")
def show_json(run_id: int) -> Response:
    """The document `studio.bench/1`, with every sample."""
    run = own_or_404(Run, run_id)
    return Response(to_json(run_document(run)), mimetype="application/json")


@bp.get("/<int:run_id>.csv")
def show_csv(run_id: int) -> Response:
    """The same values, one line a model and context size."""
    run = own_or_404(Run, run_id)
    return download(to_csv(run_results(run)), "text/csv", f"benchmark-{run.id}.csv")


@bp.get("/<int:run_id>/spec.json")
def show_spec(run_id: int) -> Response:
    """What was asked, as it is stored."""
    return jsonify(own_or_404(Run, run_id).spec)


@bp.get("/<int:run_id>/prompts.jsonl")
def show_prompts(run_id: int) -> Response:
    """The run's set of prompts as the file that its command names; 404 without one."""
    prompts = run_spec(own_or_404(Run, run_id)).prompts
    if not prompts:
        abort(404)
    return download(to_jsonl(prompts), "application/x-ndjson", PROMPTS_FILE)


@bp.get("/<int:run_id>/requests/<int:sample_id>")
def show_sample(run_id: int, sample_id: int) -> str:
    """One request: its figures, and its tokens in time."""
    run, row = own_or_404(Run, run_id), own_or_404(SampleRow, sample_id)
    if row.run_id != run.id:
        abort(404)
    return render_template("benchmark/sample.html", run=run, **one_sample(run, row.id))


@bp.get("/<int:run_id>/name")
def name(run_id: int) -> str:
    """The heading, or with `?rename` the small form in its place."""
    run = own_or_404(Run, run_id)
    return render_template(NAME_PART, run=run, editing="rename" in request.args, errors={})


@bp.post("/<int:run_id>/name")
def rename(run_id: int) -> Response:
    """Give a run another name; an empty one is made from its models again."""
    run = own_or_404(Run, run_id)
    typed = request.form.get("name", "")
    try:
        spec = BenchmarkSpec.model_validate(run.spec | {"name": typed})
    except ValidationError as error:
        shown = {"run": run} if htmx.is_htmx() else _page(run)
        texts = {"editing": True, "errors": explain(error), "typed": typed}
        return htmx.form_page(NAME_PAGE, NAME_PART, **shown | texts)
    run.name = spec.name or default_name(load_targets(run))
    with db.write():
        run.save(only=[Run.name])
        Job.update(title=run.name).where(Job.id == run.job_id).execute()
    if htmx.is_htmx():
        return make_response(render_template(NAME_PART, run=run, editing=False, errors={}))
    return htmx.go(url_for("benchmark.show", run_id=run.id))


@bp.post("/<int:run_id>/resume")
def resume(run_id: int) -> Response:
    """Measure what is missing, and look on."""
    run = own_or_404(Run, run_id)
    if run.job is None or not submit.resume(run.job):
        abort(409, "This benchmark cannot be resumed: it is waiting, running or done.")
    return htmx.go(url_for("benchmark.show", run_id=run.id))


@bp.post("/<int:run_id>/delete")
def delete(run_id: int) -> Response:
    """Put a run away; for some minutes it can be brought back. A running one is cancelled."""
    undo = url_for("benchmark.undelete", run_id=run_id)
    return removal.delete_one(Run, run_id, to=url_for("history.index"), undo=undo)


@bp.post("/<int:run_id>/undelete")
def undelete(run_id: int) -> Response:
    """Bring a deleted run back."""
    return removal.restore_one(Run, run_id, to=url_for("benchmark.show", run_id=run_id))


def _page(run: Run) -> dict[str, object]:
    key = request.args.get("sort", "")
    sort = report.Sort(key if key in KEYS else "", request.args.get("dir") == "desc")
    page = max(1, request.args.get("page", 1, type=int))
    spec, config = (
        BenchmarkSpec.model_validate(run.spec),
        read_config(current_app.extensions["studio"]),
    )
    commands = bench_commands(spec, config, queries.endpoints(me(), spec))
    return report.context(run, sort, page) | {
        "commands": commands,
        "prompt_max": PROMPT_MAX_CHARS,
        "errors": {},
    }
