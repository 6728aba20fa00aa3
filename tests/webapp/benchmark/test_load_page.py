"""The page of a load run, while levels end and afterwards."""

from __future__ import annotations

import json
import re
import time
from typing import Any

import pytest
from flask import Flask

from engine.report import numbers
from engine.report.wording import pressed
from engine.specs import LoadSpec
from jobs import digests
from jobs.results import run_results
from tests.webapp.benchmark.builders import TARGETS, stored_run
from tests.webapp.conftest import Person
from webapp.benchmark import live
from webapp.models import Run, SampleRow

LOAD = LoadSpec(levels=(1, 4, 8, 16, 32), requests=40, slo_ttft_ms=200)
FAST = TARGETS[:1]


def levels_of(page: str, table: str = "Table of levels") -> list[list[str]]:
    """The cells of a table, row by row, without markup."""
    after = page.split(f'aria-label="{table}"')[1].split("<tbody>")[1]
    body = after.partition("</tbody>")[0]
    rows = re.findall(r"<tr[^>]*>(.*?)</tr>", body, re.DOTALL)
    return [
        [re.sub(r"<[^>]+>", "", cell).strip() for cell in re.findall(r"<t[hd].*?</t[hd]>", row)]
        for row in rows
    ]


def charts_of(page: str) -> dict[str, Any]:
    after = page.split("data-chart-data hidden>")[1]
    data: dict[str, Any] = json.loads(after.partition("</div>")[0])
    return data


@pytest.fixture
def run(alice: Person) -> Run:
    return stored_run(alice.user, FAST, load=LOAD, warmup=1)


def test_the_answer_stands_first_with_its_level_and_the_knee(alice: Person, run: Run) -> None:
    page = alice.get(f"/benchmark/{run.id}").text
    results = {result.level: result for result in run_results(run)}
    best = results["c8"]
    reached = numbers.number(best.system_output_tps)
    first = numbers.ms(best.ttft_ms.p50)
    assert (
        f"<b>fast-small serves {reached}\u202ftokens/s at 8 streams with first tokens after "
        f"{first}\u202fms (median); more streams add less than 5\u202f%</b>"
    ) in page
    assert "or more of its answers keep to the limits up to 8 streams." in page
    assert re.search(rf"<dt>Most throughput</dt><dd>{reached}<span", page)


def test_tables_have_the_numbers_of_results_and_charts(alice: Person, run: Run) -> None:
    page = alice.get(f"/benchmark/{run.id}").text
    results, rows = run_results(run), levels_of(page)
    latency = levels_of(page, "Table of latencies")
    points = charts_of(page)["load_curve"]["lines"][0]["points"]
    for result, row, times, point in zip(results, rows, latency, points, strict=True):
        assert row[0] == times[0] == pressed(result)
        assert row[1] == numbers.number(result.system_output_tps)
        assert times[1] == numbers.ms(result.ttft_ms.p50)
        assert f"{pressed(result)}: {row[1]} tokens/s, first token {times[1]} ms" in point["text"]
    assert rows[2][-1] == "knee"
    assert [point["knee"] for point in points] == [False, False, True, False, False]


def test_percentiles_are_shown_only_where_there_are_enough_answers(alice: Person, run: Run) -> None:
    page = alice.get(f"/benchmark/{run.id}").text
    drawn = {line["name"]: len(line["points"]) for line in charts_of(page)["latency:1"]["lines"]}
    assert drawn == {"p50": 5, "p90": 5, "p95": 5, "p99": 0}
    assert {row[5] for row in levels_of(page, "Table of latencies")} == {numbers.NONE}


def test_rows_are_there_from_the_start_and_fill_as_levels_end(alice: Person, app: Flask) -> None:
    run = stored_run(alice.user, FAST, state="running", done=1 + 40 + 25, load=LOAD)
    page = alice.get(f"/benchmark/{run.id}").text
    assert [row[1] == numbers.NONE for row in levels_of(page)] == [False, False, True, True, True]
    assert "66 of 201 requests, about" in page
    assert "4 streams, level 2 of 5" in page
    assert "So far fast-small serves" in page
    assert page.count("<canvas") == 5
    with app.test_request_context():
        fragments = live.fragments(alice.user, run.id) or {}
    for name, html in fragments.items():
        assert re.match(rf'\s*<\w+ id="{name}"', html), name
        assert page.count(f'id="{name}"') == 1


def test_what_weakens_a_level_is_a_word_in_its_row(alice: Person, run: Run) -> None:
    run.levels[0]["client"]["marks"] = ["generator_busy", "late_reads"]
    run.levels[1]["client"]["marks"] = ["late_dispatch", "unsent", "backlog"]
    run.environment = {**run.environment, "other_jobs": 2}
    run.save()
    page = alice.get(f"/benchmark/{run.id}").text
    assert [row[-1] for row in levels_of(page)[:2]] == [
        "generator saturated read too late",
        "sent late some never sent endpoint fell behind",
    ]  # fmt: skip
    assert "shared host" in page
    assert "The load generator was saturated" in page


def test_open_loops_count_from_when_requests_were_due_too(alice: Person) -> None:
    load = LoadSpec(arrivals="poisson", levels=(2, 4), requests=12)
    page = alice.get(f"/benchmark/{stored_run(alice.user, FAST, load=load).id}").text
    assert "From due, p50" in page
    assert [row[0] for row in levels_of(page)] == ["2 requests/s", "4 requests/s"]


def test_a_target_that_never_answered_says_why_and_is_not_left_half_done(
    alice: Person, app: Flask
) -> None:
    run = stored_run(alice.user, FAST, done=1, load=LOAD)
    why = "fast-small is left out: nothing answers there."
    run.notices = [{"code": "target_left_out", "text": why, "target": None}]
    run.save()
    page = alice.get(f"/benchmark/{run.id}").text
    assert f"<b>Nothing was measured</b>. {why}" in page
    with app.test_request_context():
        assert "1 of 1 requests." in (live.fragments(alice.user, run.id) or {})["run-progress"]


def test_a_rate_that_fell_behind_is_drawn_from_when_requests_were_due(alice: Person) -> None:
    load = LoadSpec(arrivals="constant", levels=(2, 4), requests=12)
    run = stored_run(alice.user, FAST, load=load)
    SampleRow.update(delay_ms=900.0).where(SampleRow.level == "r4").execute()
    lines = charts_of(alice.get(f"/benchmark/{run.id}").text)["latency:1"]["lines"]
    (due,) = [line for line in lines if line["name"] == "p50 from due"]
    assert due["points"][1]["y"] == pytest.approx(900 + lines[0]["points"][1]["y"])


def test_levels_that_were_left_out_are_said_to_be(alice: Person) -> None:
    run = stored_run(alice.user, FAST, done=1 + 40, load=LOAD)
    page = alice.get(f"/benchmark/{run.id}").text
    assert [row[-1] for row in levels_of(page)] == ["", *["left out"] * 4]


def test_several_models_and_sizes_stand_in_groups(alice: Person) -> None:
    load = LoadSpec(levels=(1, 8), requests=10)
    run = stored_run(alice.user, TARGETS[:2], load=load, context_tiers=(0, 1000))
    page = alice.get(f"/benchmark/{run.id}").text
    rows = levels_of(page)
    assert [(row[0], row[1], row[2]) for row in rows[:4]] == [
        ("fast-small", "1 stream", "0"), ("fast-small", "8 streams", "0"),
        ("fast-small", "1 stream", "1K"), ("fast-small", "8 streams", "1K"),
    ]  # fmt: skip
    assert len(rows) == 8
    assert len([name for name in charts_of(page) if name.startswith("latency:")]) == 4


def test_nothing_measured_is_no_number(alice: Person) -> None:
    for state in ("queued", "failed"):
        run = stored_run(alice.user, FAST, state=state, done=0, load=LOAD)
        page = alice.get(f"/benchmark/{run.id}").text
        assert all(row[1] == numbers.NONE for row in levels_of(page))
        assert "<dt>Goodput there</dt><dd>–" in page


def test_a_load_run_again_is_prefilled(alice: Person, run: Run) -> None:
    page = alice.get(f"/benchmark/new?from={run.id}").text
    assert re.search(r'name="mode" value="load" checked', page)
    assert 'value="1, 4, 8, 16, 32"' in page
    assert re.search(r'name="slo_ttft_ms" type="text" value="200"', page)


def test_a_stored_digest_makes_the_page_quick(
    alice: Person, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    digests.refresh(run)
    monkeypatch.setattr(digests, "load_samples", lambda *_, **__: pytest.fail("samples were read"))
    began = time.perf_counter()
    assert alice.get(f"/benchmark/{run.id}").status_code == 200
    assert time.perf_counter() - began < 2
