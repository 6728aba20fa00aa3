"""What a socket is sent is what the page would show."""

from __future__ import annotations

import re

from flask import Flask

from jobs.store import store_samples
from tests.webapp.benchmark.builders import TARGETS, samples_of, spec_of, stored_run
from tests.webapp.conftest import Person
from webapp.benchmark import live
from webapp.models import Job, Run


def test_each_fragment_is_one_element_that_the_page_has(app: Flask, alice: Person) -> None:
    run = stored_run(alice.user, state="running", done=5)
    page = alice.get(f"/benchmark/{run.id}").text
    with app.test_request_context():
        fragments = live.fragments(alice.user, run.id)
    assert fragments is not None
    for name, html in fragments.items():
        assert re.match(rf'\s*<\w+ id="{name}"', html), name
        assert page.count(f'id="{name}"') == 1
        if name != "live-title":
            assert html.strip() in page


def test_a_stored_sample_changes_the_fragments(app: Flask, alice: Person) -> None:
    every = samples_of(spec_of(TARGETS), TARGETS)
    run = stored_run(alice.user, state="running", done=5)
    with app.test_request_context():
        before = live.fragments(alice.user, run.id) or {}
        store_samples(run, every[5:6])
        after = live.fragments(alice.user, run.id) or {}
    changed = {name for name in after if after[name] != before[name]}
    assert {"run-progress", "run-cards", "run-charts", "run-results", "run-samples"} <= changed
    assert "run-notices" not in changed


def test_the_title_carries_the_percent_while_it_runs(app: Flask, alice: Person) -> None:
    run = stored_run(alice.user, state="running", done=11, name="A & B")
    with app.test_request_context():
        title = (live.fragments(alice.user, run.id) or {})["live-title"]
        assert 'data-title="33\u202f% · A &amp; B"' in title
        Job.update(state="done").execute()
        assert "data-title" not in (live.fragments(alice.user, run.id) or {})["live-title"]


def test_the_end_brings_the_whole_report(app: Flask, alice: Person) -> None:
    run = stored_run(alice.user, state="running")
    Job.update(state="done").execute()
    with app.test_request_context():
        fragments = live.fragments(alice.user, run.id) or {}
    assert "is the fastest" in fragments["run-verdict"]
    assert "Every request" in fragments["run-samples"]
    assert "sort=output" in fragments["run-results"]


def test_a_page_that_is_open_at_the_end_keeps_its_bars(app: Flask, alice: Person) -> None:
    run = stored_run(alice.user, state="running")
    Job.update(state="done").execute()
    with app.test_request_context():
        progress = (live.fragments(alice.user, run.id) or {})["run-progress"]
    assert "33 of 33 requests." in progress
    assert 'class="lanes"' in progress
    assert "Cancel" not in progress
    assert "left" not in progress
    assert 'class="lanes"' not in alice.get(f"/benchmark/{run.id}").text


def test_a_fragment_holds_no_token(app: Flask, alice: Person) -> None:
    run = stored_run(alice.user, state="running", done=5)
    with app.test_request_context():
        fragments = live.fragments(alice.user, run.id) or {}
    assert not any("csrf" in html for html in fragments.values())


def test_somebody_elses_and_deleted_runs_have_no_fragments(
    app: Flask, alice: Person, charlie: Person
) -> None:
    run = stored_run(alice.user)
    with app.test_request_context():
        assert live.fragments(charlie.user, run.id) is None
        Run.update(deleted_at=1.0).execute()
        assert live.fragments(alice.user, run.id) is None
