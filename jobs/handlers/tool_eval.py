"""Runs an evaluation of tool calling and writes down what its events say."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from contextlib import closing
from typing import Any, cast

from engine.cancel import Cancelled
from engine.events import CaseScored, Event, Finished, Notice, Started, TrialStarted
from engine.specs import ToolEvalSpec
from engine.tools.matchers import Similarity
from engine.tools.plan import CannotRun
from engine.tools.runner import run_tool_eval
from engine.tools.similarity import make_similarity
from engine.tools.trials import TrialKey
from jobs.evals import eval_suite
from jobs.handlers.record import Record
from jobs.progress import Context, JobFailed
from jobs.store import describe_targets
from jobs.targets import resolve
from jobs.trials import TrialWriter, stored_trials
from webapp.models import Eval

_GONE = "The evaluation of this job has been deleted. Start a new one."


def handle(context: Context) -> dict[str, Any]:
    """Try what the evaluation still lacks, on the suite as it was when it was started;
    returns `{"eval", "done", "failed"}`, where `failed` counts infrastructure errors.

    Raises Cancelled when it was stopped: what was scored until then is stored.
    """
    record = Record.of(Eval, context, _GONE)
    row, spec = record.row, cast("ToolEvalSpec", context.spec)
    targets = resolve(context.job.user, spec.targets, context.settings)
    if not row.targets:
        record.update(targets=describe_targets(targets))
    events = run_tool_eval(
        spec,
        eval_suite(row),
        targets,
        cancel=context.cancel,
        stored=stored_trials(row),
        similarity=_similarity(spec, context),
    )
    with TrialWriter(row, context.report) as writer, closing(cast("Generator[Event]", events)):
        context.progress(done=writer.done, failed=writer.failed)
        ended = _follow(events, record, context, writer)
    record.finish()
    if ended.reason != "complete":
        raise Cancelled(ended.reason)
    return {"eval": row.id, "done": writer.done, "failed": writer.failed}


def _similarity(spec: ToolEvalSpec, context: Context) -> Similarity | None:
    """Whom semantic matchers ask, with the keys of the job's user."""
    embedding, judge = (
        resolve(context.job.user, [ref], context.settings)[0] if ref else None
        for ref in (spec.embedding, spec.judge)
    )
    return make_similarity(
        embedding, judge, context.cancel, timeout_s=spec.timeout_s, retries=spec.retries
    )


def _follow(
    events: Iterator[Event], record: Record[Eval], context: Context, writer: TrialWriter
) -> Finished:
    asking: dict[str, TrialKey] = {}
    total = 0
    try:
        for event in events:
            match event:
                case Started():
                    total = event.total
                    context.progress(total=total)
                    record.begin(event)
                case TrialStarted(key):
                    asking[key.provider] = key
                    context.progress(message=_asking(asking))
                case CaseScored(trial):
                    writer.put(trial)
                case Notice():
                    total -= event.dropped
                    context.progress(total=total)
                    record.note(event)
                case Finished():
                    return event
    except CannotRun as error:
        raise JobFailed(str(error)) from error
    raise RuntimeError("The engine stopped without saying why.")


def _asking(keys: dict[str, TrialKey]) -> str:
    """ "demo/fast-small, case weather-1; openai/gpt, case mail-3, trial 2"."""
    return "; ".join(
        f"{key.provider}/{key.model}, case {key.case}"
        + (f", trial {key.trial + 1}" if key.trial else "")
        for key in keys.values()
    )
