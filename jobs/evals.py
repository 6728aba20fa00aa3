"""Starting an evaluation of tool calling, and repeating only what its network failed at."""

from __future__ import annotations

from engine.specs import ToolEvalSpec
from engine.tools.suites import Suite
from jobs import submit
from webapp.models import FINAL_STATES, Eval, Job, SuiteVersion, TrialRow, User


def start_eval(
    user: User,
    spec: ToolEvalSpec,
    suite: Suite,
    *,
    title: str,
    version: SuiteVersion | None = None,
) -> tuple[Job, Eval]:
    """Queue an evaluation of `suite` as it is now; later changes of the suite do not reach it."""
    row = Eval(
        user=user,
        suite_version=version,
        name=title[:200],
        spec=spec.model_dump(mode="json"),
        suite=suite.model_dump(mode="json"),
    )
    job = submit.submit(user, "tool_eval", spec, title=title, fills=row)
    return job, row


def retry_errors(job: Job) -> bool:
    """Queue an ended evaluation again, for its infrastructure errors and whatever was never
    asked; scored trials are not repeated. An error stays in its row, as a trial that was cut
    off, until the new trial takes its place.

    False when there is no error, or the job still runs, or the evaluation has been deleted.
    """
    errors = (TrialRow.eval == job.subject) & (TrialRow.outcome == "infrastructure")
    if job.kind != "tool_eval" or not TrialRow.select().where(errors).exists():
        return False
    return submit.resume(
        job, FINAL_STATES, lambda: TrialRow.update(outcome="incomplete").where(errors).execute()
    )


def eval_spec(row: Eval) -> ToolEvalSpec:
    """The spec the evaluation was started with."""
    return ToolEvalSpec.model_validate(row.spec)


def eval_suite(row: Eval) -> Suite:
    """The suite it runs on, whatever became of the one it was taken from."""
    return Suite.model_validate(row.suite)
