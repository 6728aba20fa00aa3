"""Ticked runs are deleted, and come back while that is possible."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest

from jobs.timing import UNDO_S
from tests.webapp.conftest import HTMX, Person
from tests.webapp.history.conftest import add_run
from tests.webapp.history.test_views import names
from webapp.models import Job, Run, SampleRow


@pytest.fixture
def three(alice: Person) -> list[Run]:
    return [
        add_run(alice.user, {"fast": [9.0]}, name=name, age_s=i) for i, name in enumerate("cba")
    ]


def test_ticked_runs_go_and_the_rest_of_the_list_stays(alice: Person, three: list[Run]) -> None:
    url, data = "/history/delete?sort=name", {"run": [three[0].id, three[2].id]}
    answer = alice.post(url, data=data, headers=HTMX)
    assert answer.status_code == 200
    assert answer.text.lstrip().startswith('<div id="runs"')
    assert names(answer.text) == ["b"]
    assert 'aria-sort="ascending"' in answer.text
    toast = json.loads(answer.headers["HX-Trigger"])["toast"]
    assert toast["text"] == "2 benchmarks are deleted."
    assert toast["undo"] == f"/history/restore?run={three[0].id}&run={three[2].id}"
    assert alice.get(f"/benchmark/{three[0].id}").status_code == 404


def test_undo_brings_them_back_and_the_list_looks_again(alice: Person, three: list[Run]) -> None:
    gone = alice.post("/history/delete", data={"run": [run.id for run in three]}, headers=HTMX)
    assert "No benchmark yet" in gone.text
    undo = json.loads(gone.headers["HX-Trigger"])["toast"]["undo"]
    back = alice.post(undo, headers=HTMX)
    assert back.status_code == 204
    events = json.loads(back.headers["HX-Trigger"])
    assert events["toast"]["text"] == "3 benchmarks are back."
    assert "studio:runs" in events
    page = alice.get("/history").text
    assert names(page) == ["c", "b", "a"]
    assert "studio:runs from:body" in page


def test_it_works_without_scripts(alice: Person, three: list[Run]) -> None:
    answer = alice.post("/history/delete?q=c", data={"run": three[0].id})
    assert (answer.status_code, answer.location) == (303, "/history?q=c")
    page = alice.get(answer.location).text
    undo = f"/history/restore?run={three[0].id}"
    assert "“c” is deleted." in page
    assert f'formaction="{undo}"' in page
    answer = alice.post(undo)
    assert (answer.status_code, answer.location) == (303, "/history")
    page = alice.get("/history").text
    assert "“c” is back." in page
    assert names(page) == ["c", "b", "a"]


def test_the_last_page_gives_way_when_it_is_emptied(
    alice: Person, three: list[Run], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("webapp.history.queries.PAGE_SIZE", 2)
    answer = alice.post("/history/delete?page=2", data={"run": three[2].id}, headers=HTMX)
    assert names(answer.text) == ["c", "b"]


def test_nothing_ticked_is_said(alice: Person, three: list[Run]) -> None:
    answer = alice.post("/history/delete", headers=HTMX)
    assert (answer.status_code, answer.headers["HX-Reswap"]) == (422, "none")
    assert answer.text == "Tick the benchmarks to delete first."
    assert "Tick the benchmarks to delete first." in alice.post("/history/delete").text


def test_a_run_under_way_is_stopped(alice: Person) -> None:
    running = add_run(alice.user, {"fast": [9.0]}, state="running")
    queued = add_run(alice.user, {"fast": []}, state="queued")
    done = add_run(alice.user, {"fast": [9.0]})
    alice.post("/history/delete", data={"run": [running.id, queued.id, done.id]})
    jobs = {job.subject: job for job in Job.select()}
    assert jobs[running.id].cancel_requested
    assert jobs[queued.id].state == "cancelled"
    assert (jobs[done.id].state, jobs[done.id].cancel_requested) == ("done", False)


def test_samples_stay_until_the_time_for_undo_is_over(alice: Person, three: list[Run]) -> None:
    alice.post("/history/delete", data={"run": three[0].id})
    assert SampleRow.select().where(SampleRow.run == three[0].id).count() == 1
    before = time.time() - UNDO_S
    Run.update(deleted_at=before - 60).where(Run.id == three[0].id).execute()
    answer = alice.post(f"/history/restore?run={three[0].id}")
    assert answer.status_code == 404
    assert "the time for it is over" in answer.text


def test_charlie_deletes_and_restores_nothing(
    alice: Person, charlie: Person, three: list[Run]
) -> None:
    theirs = three[0].id
    assert charlie.post("/history/delete", data={"run": theirs}).status_code == 404
    own = add_run(charlie.user, {"fast": [9.0]})
    charlie.post("/history/delete", data={"run": [theirs, own.id]})
    assert names(alice.get("/history").text) == ["c", "b", "a"]
    alice.post("/history/delete", data={"run": theirs})
    assert charlie.post(f"/history/restore?run={theirs}").status_code == 404
    assert names(alice.get("/history").text) == ["b", "a"]


@pytest.mark.parametrize("odd", ["0", "-1", "999", "x", "9" * 30, "9" * 5000, "1.5"])
def test_an_id_of_nothing_is_404_or_nothing_ticked(
    alice: Person, three: list[Run], odd: Any
) -> None:
    assert alice.post("/history/delete", data={"run": odd}).status_code in (404, 422)
    assert alice.post("/history/restore", query_string={"run": odd}).status_code == 404
    assert Run.select().where(Run.deleted_at.is_null()).count() == 3


def test_deleting_needs_the_token_of_the_page(alice: Person, three: list[Run]) -> None:
    alice.client.application.config["WTF_CSRF_ENABLED"] = True
    answer = alice.post("/history/delete", data={"run": three[0].id})
    assert answer.status_code == 400
    assert Run.get_by_id(three[0].id).deleted_at is None
