"""One request: its figures, and its gaps in time."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.samples import Arrival, Sample, SampleKey, Try
from jobs.store import store_samples
from tests.webapp.benchmark.builders import MS, TARGETS, stored_run
from tests.webapp.conftest import Person
from webapp.benchmark.timeline import BARS_MAX, HEIGHT, WIDTH, timeline
from webapp.models import Run, SampleRow

KEY = SampleKey("demo", "fast-small", 0, 0, False)


def streamed(*gaps_ms: float, first_ms: float = 100.0) -> Sample:
    times = [first_ms]
    for gap in gaps_ms:
        times.append(times[-1] + gap)
    return Sample(KEY, "ok", arrivals=tuple(Arrival(int(at * MS), 1) for at in times))


def test_each_gap_is_as_wide_as_it_lasted_and_as_high_as_it_was_long() -> None:
    line = timeline(streamed(10, 10, 10, 70))
    assert line is not None
    assert line.first_x == WIDTH / 2
    assert [bar.width for bar in line.bars] == [50, 50, 50, 350]
    assert [bar.height / HEIGHT for bar in line.bars] == pytest.approx(
        [1 / 7, 1 / 7, 1 / 7, 1], 0.01
    )
    assert [bar.stall for bar in line.bars] == [False, False, False, True]
    assert (line.stalls, line.gaps.n, line.longest[0].event) == (1, 4, 5)


@given(st.lists(st.floats(0, 5_000), min_size=1, max_size=4_000))
def test_bars_stay_inside_the_picture_and_are_not_too_many(gaps: list[float]) -> None:
    line = timeline(streamed(*gaps))
    assert line is not None
    assert 1 <= len(line.bars) <= BARS_MAX
    for bar in line.bars:
        assert 0 <= bar.x <= bar.x + bar.width <= WIDTH + 0.1
        assert 0 <= bar.y <= bar.y + bar.height <= HEIGHT + 0.1


def test_without_a_token_there_is_no_picture() -> None:
    assert timeline(Sample(KEY, "failed", error="timeout")) is None
    alone = timeline(streamed())
    assert alone is not None
    assert (alone.bars, alone.stalls) == ((), 0)


def test_a_request_shows_its_figures_its_answer_and_its_neighbours(alice: Person) -> None:
    run = stored_run(alice.user)
    ids = [row.id for row in SampleRow.select(SampleRow.id).order_by(SampleRow.id)]
    page = alice.get(f"/benchmark/{run.id}").text
    assert f"/benchmark/{run.id}/requests/{ids[0]}" in page
    one = alice.get(f"/benchmark/{run.id}/requests/{ids[5]}").text
    assert len(re.findall(r'<rect class="(?:gap|stall)"', one)) == 159
    assert re.search(r"First token after [\d.]+ ms, then 159 gaps: median [\d.]+ ms, longest", one)
    assert "Recursion is a function that calls itself." in one
    for neighbour in (ids[4], ids[6]):
        assert f'href="/benchmark/{run.id}/requests/{neighbour}"' in one
    assert not re.search(r'\s(style|on\w+)="', one)


def test_what_went_wrong_is_said_with_its_tries(alice: Person) -> None:
    run = stored_run(alice.user, done=0)
    failed = Sample(
        KEY, "failed", error="rate_limited", message="Too many requests <now>.",
        tries=(Try("rate_limited", "Slow down.", 2.5),),
    )  # fmt: skip
    store_samples(run, [failed])
    page = alice.get(f"/benchmark/{run.id}/requests/{SampleRow.get().id}").text
    assert "Too many requests &lt;now&gt;." in page
    assert "Try 1: Slow down. Waited 2.50 s." in page
    assert "<svg class" not in page


def test_a_request_of_another_run_or_user_is_not_found(alice: Person, charlie: Person) -> None:
    first, second = stored_run(alice.user, done=1), stored_run(alice.user, done=1)
    mine = SampleRow.get(SampleRow.run == first.id).id
    assert alice.get(f"/benchmark/{first.id}/requests/{mine}").status_code == 200
    assert alice.get(f"/benchmark/{second.id}/requests/{mine}").status_code == 404
    assert charlie.get(f"/benchmark/{first.id}/requests/{mine}").status_code == 404


def test_where_it_was_measured_is_said_in_words(alice: Person) -> None:
    run = stored_run(alice.user, TARGETS[:1], done=3)
    taken = SampleRow.select().order_by(SampleRow.id).first()
    SampleRow.update(connect_ms=1.25, tls_ms=14.0).where(SampleRow.id == taken.id).execute()
    Run.update(
        environment={"machine": "x86_64", "cpus": 2, "cpu": "A CPU", "python": "3.11.7",
                     "versions": {"litellm": "1.2", "httptools": None}, "other_jobs": 1,
                     "load_1m": 0.5, "measured_at": "2026-11-25T21:00:00+00:00"}
    ).execute()  # fmt: skip
    page = alice.get(f"/benchmark/{run.id}").text
    facts = dict(re.findall(r"<dt>([^<]+)</dt><dd>([^<]*)</dd>", page.split("run-environment")[1]))
    assert facts["Client machine"] == "A CPU, 2 cores, x86_64"
    assert facts["Versions"] == "Python 3.11.7, litellm 1.2"
    assert facts["Opening a connection"] == "1.25\u202fms, TLS 14.00\u202fms"
    assert facts["Clock"].startswith("the kernel")
    assert facts["Beside it"].startswith("1 other job measured on this machine: shared")


def test_a_bundled_stream_gives_bounds(alice: Person) -> None:
    run = stored_run(alice.user, done=0)
    store_samples(run, [replace(streamed(5, 5), bundled=True, tpot_low_ms=2.0, tpot_high_ms=4.0)])
    page = alice.get(f"/benchmark/{run.id}/requests/{SampleRow.get().id}").text
    assert "2.00–4.00" in page
