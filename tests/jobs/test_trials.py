from __future__ import annotations

from typing import Any

import pytest

from engine.samples import Tokens, Try
from engine.tools.answers import ArgumentDiff, Scored
from engine.tools.trials import Trial, TrialKey
from jobs import states
from jobs.progress import Progress
from jobs.states import Lease
from jobs.trials import TrialWriter, load_trials, store_trials, stored_trials
from webapp.models import Eval, Job, TrialDetail, TrialRow, User


@pytest.fixture
def row(alice: User) -> Eval:
    made: Eval = Eval.create(user=alice, name="An evaluation", spec={}, suite={})
    return made


@pytest.fixture
def progress(alice: User) -> Progress:
    Job.create(user=alice, kind="tool_eval", spec={})
    job = states.claim("main", "host:1")
    assert job is not None
    return Progress(Lease(job.id, job.attempt))


def _key(index: int) -> TrialKey:
    return TrialKey("demo", "fast-small", f"case {index}", 0)


def _failed(index: int, outcome: Any = "infrastructure", **more: Any) -> Trial:
    return Trial(_key(index), outcome, error="server", message="The provider failed.", **more)


def _scored(index: int, **more: Any) -> Trial:
    return Trial(_key(index), "scored", scored=Scored(passed=True, error_type=None), **more)


WHOLE = Trial(
    TrialKey("öpenai", "模型", "weather/1", 3),
    "scored",
    category="parallel",
    tries=(Try("rate_limited", "slow down", 1.5),),
    scored=Scored(
        passed=False,
        error_type="wrong_value",
        scores={"overall": 0.8, "selection": 1.0, "arguments": 0.5},
        reason="city is Bergen, not Oslo.",
        diffs=(ArgumentDiff(0, "city", ["Oslo"], "Bergen", True, "exact", "wrong_value"),),
        errors=("wrong_value", "extra_call"),
    ),
    recovered=True,
    tokens=Tokens(310, 24, 4, 128, "usage"),
    cost_usd=0.00125,
    ttft_ms=120.5,
    e2e_ms=431.25,
    rounds=2,
    started_at=1_790_000_000.5,
    transcript={"messages": [{"role": "user", "content": "Oslo? ☂"}], "rounds": []},
)


def test_what_is_stored_comes_back_whole(row: Eval) -> None:
    trials = [WHOLE, _failed(0), _scored(1), _failed(2, "incomplete")]

    store_trials(row, trials)

    assert load_trials(row) == trials
    assert stored_trials(row) == {trial.key for trial in trials[:3]}


def test_the_light_form_reads_no_detail(row: Eval) -> None:
    store_trials(row, [WHOLE])
    TrialDetail.delete().execute()

    [light] = load_trials(row, light=True)

    assert light.scored is not None
    assert (light.key, light.passed) == (WHOLE.key, False)
    assert light.scored.scores == {"overall": 0.8, "selection": 1.0, "arguments": 0.5}
    assert light.transcript == {}


def test_some_cases_and_some_rows_are_found_by_name_and_id(row: Eval) -> None:
    store_trials(row, [_scored(index) for index in range(4)])
    last = TrialRow.get(case_id="case 3")

    assert [t.key.case for t in load_trials(row, cases=["case 1", "case 2"])] == [
        "case 1",
        "case 2",
    ]
    assert [t.key.case for t in load_trials(row, only=[last.id])] == ["case 3"]


def test_a_stored_trial_stays_and_one_that_was_cut_off_gives_way(row: Eval) -> None:
    store_trials(row, [_scored(0), _failed(1), _failed(2, "incomplete")])

    store_trials(row, [_failed(0), _scored(1), _scored(2, ttft_ms=2.0)])

    assert load_trials(row) == [_scored(0), _failed(1), _scored(2, ttft_ms=2.0)]
    assert TrialDetail.select().count() == 3


def test_more_trials_than_a_statement_holds_are_stored_in_one_transaction(row: Eval) -> None:
    trials = [_scored(index) for index in range(600)]

    store_trials(row, trials)

    assert load_trials(row, light=True) == trials


def test_half_a_character_in_a_message_is_stored(row: Eval) -> None:
    store_trials(row, [_failed(0), Trial(_key(1), "infrastructure", message="\ud83d")])

    assert load_trials(row)[1].message == "?"


def test_the_writer_counts_errors_of_the_network_as_failed(row: Eval, progress: Progress) -> None:
    store_trials(row, [_scored(0), _failed(1), _failed(2, "incomplete")])

    with TrialWriter(row, progress) as writer:
        assert (writer.done, writer.failed) == (2, 1)
        writer.put(_scored(2))
        writer.put(_failed(3))
        writer.put(_failed(4, "incomplete"))

    job = Job.get_by_id(progress.lease.job_id)
    assert (job.done, job.failed) == (4, 2)
    assert len(load_trials(row)) == 5


def test_deleting_an_evaluation_deletes_its_trials(row: Eval) -> None:
    store_trials(row, [WHOLE])

    row.delete_instance()

    assert (TrialRow.select().count(), TrialDetail.select().count()) == (0, 0)


def test_a_page_of_a_large_matrix_reads_only_its_cases(row: Eval) -> None:
    """8,000 cells: the index finds a page of them whatever the rest holds."""
    plan = " ".join(
        str(line[3])
        for line in TrialRow._meta.database.execute_sql(
            'EXPLAIN QUERY PLAN SELECT passed FROM trial WHERE eval_id = ? AND "case_id" IN (?, ?)',
            (row.id, "case 1", "case 2"),
        )
    )
    assert "USING INDEX" in plan
    assert "case_id=?" in plan
