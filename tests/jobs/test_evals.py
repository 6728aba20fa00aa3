from __future__ import annotations

import pytest

from engine.specs import TargetRef, ToolEvalSpec
from engine.tools.answers import Scored
from engine.tools.suites import Suite
from engine.tools.trials import Trial, TrialKey
from jobs import states
from jobs.evals import eval_spec, eval_suite, retry_errors, start_eval
from jobs.trials import load_trials, store_trials, stored_trials
from tests.jobs.conftest import fresh
from webapp.models import Eval, Job, SuiteRow, SuiteVersion, User

SPEC = ToolEvalSpec(targets=(TargetRef(provider="demo", model="fast-small"),), trials=3)
SUITE = Suite.model_validate(
    {
        "name": "Weather",
        "tools": [{"name": "get_weather"}],
        "cases": [{"id": "a", "prompt": "Rain?", "expect": {"kind": "any"}}],
    }
)
SCORED, LOST, CUT = (TrialKey("demo", "fast-small", "a", trial) for trial in range(3))


@pytest.fixture
def ended(alice: User) -> tuple[Job, Eval]:
    """An evaluation that ended with one trial of each outcome."""
    job, row = start_eval(alice, SPEC, SUITE, title="Weather on demo")
    claimed = states.claim("main", "host:1")
    assert claimed is not None
    store_trials(
        row,
        [
            Trial(SCORED, "scored", scored=Scored(passed=False, error_type="no_call")),
            Trial(LOST, "infrastructure", error="timeout"),
            Trial(CUT, "incomplete"),
        ],
    )
    states.finish(states.Lease(claimed.id, claimed.attempt), "done")
    return fresh(job), row


def test_an_evaluation_keeps_the_suite_it_was_started_with(alice: User) -> None:
    suite = SuiteRow.create(user=alice, name="Weather")
    version = SuiteVersion.create(suite=suite, number=1, content={})

    job, row = start_eval(alice, SPEC, SUITE, title="Weather on demo", version=version)
    suite.delete_instance()

    row = Eval.get_by_id(row.id)
    assert (job.kind, job.state, job.subject, row.job_id) == ("tool_eval", "queued", row.id, job.id)
    assert (eval_suite(row), eval_spec(row)) == (SUITE, SPEC)
    assert row.suite_version_id is None


def test_retrying_asks_again_for_errors_and_never_for_scores(ended: tuple[Job, Eval]) -> None:
    job, row = ended

    assert retry_errors(job)

    assert fresh(job).state == "queued"
    assert stored_trials(row) == {SCORED}
    kept = {trial.key: trial.error for trial in load_trials(row)}
    assert kept == {SCORED: None, LOST: "timeout", CUT: None}


def test_what_runs_or_has_no_error_is_not_retried(ended: tuple[Job, Eval]) -> None:
    job, row = ended
    assert retry_errors(job)
    assert not retry_errors(fresh(job)), "it is queued, and its error is not one any more"

    Job.update(state="running").execute()
    Eval.update(deleted_at=None).execute()
    store_trials(row, [Trial(LOST, "infrastructure", error="server")])
    assert not retry_errors(fresh(job))
    assert stored_trials(row) == {SCORED, LOST}


def test_a_deleted_evaluation_is_not_retried(ended: tuple[Job, Eval]) -> None:
    job, row = ended
    Eval.update(deleted_at=1.0).execute()

    assert not retry_errors(job)
    assert stored_trials(row) == {SCORED, LOST}
