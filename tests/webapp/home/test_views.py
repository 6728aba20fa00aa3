"""The start page, the theme, and the addresses that machines ask."""

from __future__ import annotations

import re
import time
from dataclasses import replace
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from jobs import queue
from tests.webapp.benchmark.builders import stored_run
from tests.webapp.conftest import HTMX, Person
from webapp.home import health
from webapp.models import Job, Run, User

ROOT = Path(__file__).parents[3]


def test_a_stranger_reads_what_this_is_and_how_to_begin(nobody: FlaskClient) -> None:
    page = nobody.get("/").text

    assert "Three steps" in page
    assert 'href="/register"' in page
    assert 'href="/login"' in page
    assert "ws-connect" not in page
    assert "<nav" not in page


def test_a_new_user_is_offered_the_demo(alice: Person) -> None:
    page = alice.get("/").text

    assert "No benchmark yet" in page
    assert 'formaction="/benchmark/demo"' in page
    assert "Try it with the demo provider" in page


def test_a_user_sees_running_jobs_and_the_last_results(alice: Person) -> None:
    running = stored_run(alice.user, name="Noon", state="running", done=3)
    ended = stored_run(alice.user, name="Dawn", age_s=600)

    assert running.job is not None
    page = alice.get("/").text.partition("<main")[2]

    assert "No benchmark yet" not in page
    assert f"3 of {running.job.total}" in page
    assert f'formaction="/jobs/{running.job.id}/cancel"' in page
    line = page.partition(f'href="/benchmark/{ended.id}">Dawn<')[2].partition("</tr>")[0]
    assert "tok/s" in line
    assert "fast-small" in line
    line = page.partition(f'href="/benchmark/{running.id}">Noon</a></td>')[2].partition("</tr>")[0]
    assert "tok/s" not in line


def test_deleted_benchmarks_and_other_peoples_are_not_listed(
    alice: Person, charlie: Person
) -> None:
    Run.create(user=alice.user, name="Mine, deleted", spec={"targets": []}, deleted_at=1.0)
    Run.create(user=charlie.user, name="Charlies own", spec={"targets": []})

    page = alice.get("/").text

    assert "Mine, deleted" not in page
    assert "Charlies own" not in page


def test_a_name_with_markup_stays_text(alice: Person) -> None:
    Job.create(user=alice.user, kind="x", spec={}, title="<script>1</script>", state="running")

    page = alice.get("/").text

    assert "<script>1" not in page
    assert "&lt;script&gt;1" in page


def test_the_page_follows_its_own_topic(alice: Person) -> None:
    assert 'ws-connect="/live?topic=home"' in alice.get("/").text


def test_the_navigation_marks_where_one_is_and_lists_what_exists(alice: Person) -> None:
    page = alice.get("/jobs").text

    for label in ("Benchmark", "History", "Jobs", "Settings"):
        assert f">{label}</a>" in page
    assert 'href="/jobs" aria-current="page"' in page
    assert page.count("aria-current") == 2  # the area, and the chosen state


@pytest.mark.parametrize("theme", ["dark", "light", "system"])
def test_a_users_theme_is_kept_on_the_account(alice: Person, theme: str) -> None:
    answer = alice.post("/theme", data={"theme": theme, "next": "/jobs"})

    assert (answer.status_code, answer.location) == (303, "/jobs")
    assert User.get_by_id(alice.user.id).theme == theme
    assert f'<html lang="en" data-theme="{theme}">' in alice.get("/").text


def test_a_strangers_theme_is_kept_in_a_cookie(nobody: FlaskClient) -> None:
    assert nobody.post("/theme", data={"theme": "dark"}, headers=HTMX).status_code == 204

    assert 'data-theme="dark"' in nobody.get("/").text


@pytest.mark.parametrize("theme", ["", "pink", "dark' onload='"])
def test_no_other_theme_is_taken(nobody: FlaskClient, theme: str) -> None:
    assert nobody.post("/theme", data={"theme": theme}).status_code == 422
    nobody.set_cookie("theme", theme)
    assert 'data-theme="system"' in nobody.get("/").text


def test_health_needs_nothing_but_the_process(nobody: FlaskClient) -> None:
    answer = nobody.get("/healthz")

    assert (answer.status_code, answer.json) == (200, {"status": "ok"})


def test_ready_says_what_is_missing(nobody: FlaskClient) -> None:
    answer = nobody.get("/readyz")

    assert answer.status_code == 503
    assert answer.json == {
        "status": "not ready",
        "database": "ok",
        "queue": "ok",
        "worker": "none has started yet",
    }


def test_ready_with_a_worker_that_lives(nobody: FlaskClient) -> None:
    queue.beat("main")

    answer = nobody.get("/readyz")

    assert answer.status_code == 200
    assert answer.json == {"status": "ok", "database": "ok", "queue": "ok", "worker": "ok"}


def test_ready_notices_a_worker_that_fell_silent(
    nobody: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    queue.beat("main")
    beaten = time.time()
    monkeypatch.setattr("jobs.queue.time.time", lambda: beaten + 45)

    answer = nobody.get("/readyz")

    assert answer.status_code == 503
    assert answer.json is not None
    assert answer.json["worker"] == "silent for 45 s"


def test_ready_notices_a_database_without_tables(app: Flask, nobody: FlaskClient) -> None:
    from webapp.db import database

    database.execute_sql("ALTER TABLE user RENAME TO lost")

    assert health.checks()["database"].startswith("cannot be read: ")
    assert nobody.get("/readyz").status_code == 503
    database.execute_sql("ALTER TABLE lost RENAME TO user")


def test_search_engines_are_kept_out(nobody: FlaskClient) -> None:
    assert "Disallow: /" in nobody.get("/robots.txt").text


def test_every_part_is_shown_once_to_administrators_only(
    app: Flask, alice: Person, bob: Person
) -> None:
    assert bob.get("/parts").status_code == 200
    app.extensions["studio"] = replace(app.extensions["studio"], testing=False)

    assert bob.get("/parts").status_code == 200
    assert alice.get("/parts").status_code == 404


def test_the_list_of_keys_says_what_the_document_says(alice: Person) -> None:
    dialog = alice.get("/").text.partition('<dialog id="keys"')[2].partition("</dialog>")[0]
    shown = set(re.findall(r"<kbd>([^<]+)</kbd>", dialog))
    section = (ROOT / "docs/pages.md").read_text().partition("## Keys")[2]

    assert shown == set(re.findall(r"`([^`]+)`", section))
