"""The list of jobs, the bell, and what can be done with a job."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
from flask.testing import FlaskClient

from tests.webapp.conftest import HTMX, Person
from webapp.jobs_pages import queries
from webapp.models import Job, Run, User


def make(person: Person, title: str = "Night run", **fields: Any) -> Job:
    return Job.create(user=person.user, kind="benchmark", spec={}, title=title, **fields)


def state_of(job: Job) -> str:
    return str(Job.get_by_id(job.id).state)


def test_my_jobs_are_listed_newest_first(alice: Person, charlie: Person) -> None:
    make(alice, "First", state="done", started_at=100.0, finished_at=208.0)
    make(alice, "Second", state="running", total=30, done=12)
    make(charlie, "Charlies own")

    page = alice.get("/jobs").text.partition("<main")[2]

    assert page.index("Second") < page.index("First")
    assert "12 of 30" in page
    assert "1 min 48 s" in page
    assert "Charlies own" not in page


def test_the_list_is_also_data(alice: Person) -> None:
    run = Run.create(user=alice.user, name="r", spec={})
    job = make(alice, state="failed", error="demo refused the key.", subject=run.id)

    answer = alice.get("/jobs.json")

    assert answer.json is not None
    (found,) = answer.json["jobs"]
    assert found["id"] == job.id
    assert found["error"] == "demo refused the key."
    assert found["url"] == f"/benchmark/{run.id}"


def test_one_state_is_kept(alice: Person) -> None:
    for state in queries.STATES:
        make(alice, f"is {state}", state=state)

    page = alice.get("/jobs?state=interrupted").text.partition("<main")[2]

    assert "is interrupted" in page
    assert "is done" not in page


def test_a_state_that_does_not_exist_is_not_found(alice: Person) -> None:
    assert alice.get("/jobs?state=lost").status_code == 404


def test_older_jobs_come_on_another_page(alice: Person) -> None:
    jobs = [make(alice, f"number {i}", state="done") for i in range(queries.PAGE_SIZE + 1)]
    first = alice.get("/jobs").text.partition("<main")[2]

    older = f"/jobs?before={jobs[1].id}"
    assert f'href="{older}"' in first
    second = alice.get(older).text.partition("<main")[2]
    assert ">number 0<" in second
    assert ">number 1<" not in second


def test_htmx_gets_the_list_alone(alice: Person) -> None:
    answer = alice.get("/jobs", headers=HTMX)

    assert answer.text.lstrip().startswith('<div id="jobs"')
    assert "HX-Request" in answer.headers["Vary"]


def test_interactive_checks_are_not_listed_and_do_not_ring(alice: Person) -> None:
    make(alice, "key test", lane="quick", state="done")

    assert "key test" not in alice.get("/jobs").text


@pytest.mark.parametrize("headers", [{}, HTMX])
def test_a_waiting_job_is_cancelled_at_once(alice: Person, headers: dict[str, str]) -> None:
    job = make(alice)

    answer = alice.post(f"/jobs/{job.id}/cancel", headers=headers)

    assert state_of(job) == "cancelled"
    if headers:
        assert answer.status_code == 204
        assert "What was measured" in json.loads(answer.headers["HX-Trigger"])["toast"]["text"]
    else:
        assert (answer.status_code, answer.location) == (303, "/jobs")
        assert "What was measured so far is kept." in alice.get("/jobs").text


def test_a_running_job_is_asked_to_stop(alice: Person) -> None:
    job = make(alice, state="running", heartbeat_at=time.time())

    alice.post(f"/jobs/{job.id}/cancel")

    assert Job.get_by_id(job.id).cancel_requested
    page = alice.get("/jobs").text
    assert "Stopping" in page
    assert f"/jobs/{job.id}/cancel" not in page


@pytest.mark.parametrize("state", ["done", "failed", "cancelled", "interrupted"])
def test_what_has_ended_cannot_be_cancelled(alice: Person, state: str) -> None:
    job = make(alice, state=state)

    assert alice.post(f"/jobs/{job.id}/cancel").status_code == 409
    assert state_of(job) == state


@pytest.mark.parametrize("state", ["failed", "cancelled", "interrupted"])
def test_what_ended_early_can_be_resumed(alice: Person, state: str) -> None:
    job = make(alice, state=state)
    assert f"/jobs/{job.id}/resume" in alice.get("/jobs").text

    answer = alice.post(f"/jobs/{job.id}/resume", headers=HTMX)

    assert answer.status_code == 204
    assert state_of(job) == "queued"


@pytest.mark.parametrize("state", ["queued", "running", "done"])
def test_nothing_else_can_be_resumed(alice: Person, state: str) -> None:
    job = make(alice, state=state)

    answer = alice.post(f"/jobs/{job.id}/resume", headers=HTMX)

    assert answer.status_code == 409
    assert "cannot be resumed" in json.loads(answer.headers["HX-Trigger"])["toast"]["text"]
    assert state_of(job) == state


def test_the_bell_counts_what_runs_and_what_is_new(alice: Person) -> None:
    make(alice, state="running")
    make(alice, state="queued")
    make(alice, state="done")

    bell = alice.get("/").text.partition('id="bell-count"')[2].partition("</summary>")[0]

    assert 'class="chip on">2 active<' in bell
    assert ">1 new<" in bell


def test_the_bell_is_on_every_page_and_empty_for_a_new_user(alice: Person) -> None:
    for path in ("/", "/jobs", "/benchmark", "/history", "/settings", "/nothing-here"):
        page = alice.get(path, follow_redirects=True).text
        assert 'id="bell-list"' in page, path
        assert "No jobs yet." in page, path


def test_opening_the_bell_marks_all_as_seen_but_nobody_elses(
    alice: Person, charlie: Person
) -> None:
    mine, his = make(alice, state="done"), make(charlie, state="done")

    assert alice.post("/jobs/seen").status_code == 204

    assert Job.get_by_id(mine.id).seen
    assert not Job.get_by_id(his.id).seen


def test_a_waiting_job_says_when_it_should_start(alice: Person) -> None:
    User.update(jobs_at_once=1).execute()
    now = time.time()
    make(alice, "usual", state="done", started_at=now - 500, finished_at=now - 200)
    make(alice, "ahead", state="running", started_at=now - 60, total=10, done=2)
    waiting = make(alice, "behind")

    assert queries.starts_in(Job.get_by_id(waiting.id)) == "Starts in about 4 min 0 s."


def test_strangers_see_no_bell(nobody: FlaskClient) -> None:
    assert "bell-" not in nobody.get("/login").text
