"""An evaluation in a real worker that dies."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable

from engine.specs import ToolEvalSpec
from jobs import submit
from jobs.evals import start_eval
from jobs.trials import load_trials, stored_trials
from tests.engine.tools.builders import calls, case, suite
from tests.engine.tools.faulty import CALL, Faulty, faulty_server
from tests.helpers import eventually
from tests.jobs.conftest import TEST_LEASE_S, Consumer, fresh, pid_of, reaches
from tests.jobs.handlers.conftest import own
from webapp.models import Eval, Job, User

CASES = 60
PLACES = suite(
    *(
        case(f"w{n}", calls(("get_weather", {"city": f"p{n}"})), prompt=f"Rain in p{n}?")
        for n in range(CASES)
    )
)


def _begin(alice: User, server: Faulty) -> tuple[Job, Eval]:
    ref = own(alice, "lab", "m", server.base_url)
    return start_eval(alice, ToolEvalSpec(targets=(ref,), concurrency=2), PLACES, title="Places")


def test_a_killed_worker_costs_no_stored_trial_and_resume_asks_only_for_the_rest(
    alice: User, consume: Callable[..., Consumer]
) -> None:
    with faulty_server(lambda *_: CALL, delay_s=0.04) as server:
        consume(workers=1)
        job, row = _begin(alice, server)
        eventually(lambda: len(stored_trials(row)) >= 5, 20)

        os.kill(pid_of(job), signal.SIGKILL)

        job = reaches(job, "interrupted", TEST_LEASE_S + 10)
        stored = {trial.key: trial for trial in load_trials(row)}
        assert 5 <= job.done <= len(stored) < CASES
        assert submit.resume(job)
        job = reaches(job, "done", 30)

    assert (job.attempt, job.total, job.done, job.failed) == (2, CASES, CASES, 0)
    after = load_trials(row)
    assert len(after) == len({trial.key for trial in after}) == CASES
    assert all(trial.passed for trial in after)
    assert stored.items() <= {trial.key: trial for trial in after}.items()
    again = {prompt for prompt, times in server.asked.items() if times > 1}
    assert again.isdisjoint(f"Rain in {key.case.replace('w', 'p')}?" for key in stored)
    # At the moment of the kill two requests were open, or answered and not yet stored.
    assert sum(server.asked.values()) <= CASES + 4


def test_a_cancelled_evaluation_stops_within_two_seconds_and_keeps_what_it_has(
    alice: User, consume: Callable[..., Consumer]
) -> None:
    with faulty_server(lambda *_: CALL, delay_s=0.3) as server:
        consume(workers=1)
        job, row = _begin(alice, server)
        eventually(lambda: stored_trials(row), 20)

        assert submit.cancel(job)
        job = reaches(job, "cancelled", 2)

    kept = {trial.outcome for trial in load_trials(row)}
    assert kept <= {"scored", "incomplete"}
    assert job.done == len(stored_trials(row)) < CASES
    assert fresh(job).error is None
