"""A stored summary says what the report says, and is made anew when it would not."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from peewee import OperationalError

from engine.report import cards, results
from engine.samples import Sample
from engine.targets import Target
from jobs import summaries
from jobs.store import describe_targets, load_samples, load_targets, store_samples
from tests.engine.report.builders import at_speed, failed, sample, spec_for, target
from webapp import db
from webapp.models import Job, Run, RunSummary, User
from webapp.settings import Settings


@pytest.fixture
def alice(settings: Settings) -> Iterator[User]:
    db.open_database(settings)
    with db.connection():
        yield User.create(email="alice@example.org", password_hash="!")


def stored(user: User, samples: list[Sample], targets: list[Target], **spec: Any) -> Run:
    """A run whose job has just ended."""
    asked = spec_for(targets, **spec)
    job = Job.create(
        user=user, kind="benchmark", spec={}, state="done", attempt=1, done=len(samples)
    )
    run: Run = Run.create(
        user=user,
        job=job,
        name="A run",
        spec=asked.model_dump(mode="json"),
        targets=describe_targets(targets),
    )
    store_samples(run, samples)
    return run


def summary(run: Run) -> RunSummary:
    summaries.refresh([run.id])
    row: RunSummary = RunSummary.get(RunSummary.run == run.id)
    return row


@pytest.fixture
def run(alice: User) -> Run:
    fast, slow = target("fast"), target("slow", label="Slow one")
    samples = [
        *at_speed("fast", [180.1, 182.7, 181.3, 190.9], [130.0, 118.5, 121.25, 119.0]),
        *at_speed("slow", [87.3, 88.1, 86.0], [99.0, 98.0, 97.5], context_tokens=0),
        *at_speed("slow", [500.0, 510.0], context_tokens=5_000),
        failed("fast", 4),
        failed("slow", 3, error="timeout"),
        sample("fast", 0, warmup=True, output_tps=999.0, cost_usd=7.0),
    ]
    return stored(alice, samples, [fast, slow], context_tiers=(0, 5_000))


def test_a_summary_has_the_numbers_of_the_report(run: Run) -> None:
    rows = results(load_samples(run), load_targets(run), spec_for(load_targets(run)))
    whole = results(
        load_samples(run), load_targets(run), spec_for(load_targets(run), context_tiers=(0, 5_000))
    )
    row = summary(run)

    assert row.content == summaries.summarise(whole)
    fast, slow = rows
    assert row.content["fastest"]["label"] == "fast"
    assert row.content["fastest"]["output_tps"] == {
        "p50": fast.output_tps.p50,
        "ci95": list(fast.output_tps.ci95),
        "n": 4,
    }
    assert row.content["earliest"]["label"] == "Slow one"
    assert row.content["earliest"]["ttft_ms"]["p50"] == slow.ttft_ms.p50
    assert row.content["requests"] == {"ok": 9, "failed": 2, "incomplete": 0}
    assert row.content["errors"] == {"server": 1, "timeout": 1}
    assert row.content["cost_usd"] == pytest.approx(0.009)
    assert [card.note.split(",")[0] for card in cards(whole)[:2]] == ["fast", "Slow one"]


def test_the_columns_repeat_what_lists_are_sorted_by(run: Run) -> None:
    row = summary(run)
    assert row.ok == row.content["requests"]["ok"]
    assert row.output_tps == row.content["fastest"]["output_tps"]["p50"]
    assert row.ttft_ms == row.content["earliest"]["ttft_ms"]["p50"]
    assert row.cost_usd == row.content["cost_usd"]


def test_one_unknown_price_leaves_the_cost_unknown(alice: User) -> None:
    samples = [sample("a"), sample("b", cost_usd=None)]
    row = summary(stored(alice, samples, [target("a"), target("b")]))
    assert (row.cost_usd, row.content["cost_usd"]) == (None, None)


def test_a_run_without_an_answer_has_no_leader_and_no_cost(alice: User) -> None:
    row = summary(stored(alice, [failed("a")], [target("a")]))
    assert (row.ok, row.output_tps, row.ttft_ms, row.cost_usd) == (0, None, None, None)
    assert (row.content["fastest"], row.content["earliest"]) == (None, None)
    assert summaries.summarise([])["requests"] == {"ok": 0, "failed": 0, "incomplete": 0}


def test_what_has_not_changed_is_not_written_again(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = summary(run)
    monkeypatch.setattr(summaries, "_rows", lambda stamps: pytest.fail(f"{stamps} were read"))
    assert summary(run).id == before.id


def test_a_further_sample_makes_it_anew(run: Run) -> None:
    before = summary(run).ok
    store_samples(run, [sample("fast", 9)])
    assert summary(run).ok == before + 1


def test_a_cut_sample_that_is_measured_again_makes_it_anew(alice: User) -> None:
    """The number of samples stays the same; the attempt that measured again counts it."""
    cut = sample("a", 1, outcome="incomplete", error="stream_broken")
    run = stored(alice, [sample("a", 0), cut], [target("a")])
    Job.update(done=1, state="cancelled").execute()
    assert summary(run).content["requests"] == {"ok": 1, "failed": 0, "incomplete": 1}

    Job.update(attempt=2, state="running").execute()
    summary(run)
    store_samples(run, [sample("a", 1)])
    Job.update(done=2).execute()
    assert summary(run).content["requests"] == {"ok": 2, "failed": 0, "incomplete": 0}


def test_another_definition_makes_all_anew(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    before = summary(run)
    monkeypatch.setattr(summaries, "VERSION", summaries.VERSION + 1)
    assert summary(run).stamp != before.stamp


def test_runs_can_be_named_by_a_query_and_there_may_be_many(
    alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(summaries, "RUNS_A_WRITE", 2)
    for number in range(5):
        stored(alice, [sample("a", output_tps=100.0 + number)], [target("a")])
    summaries.refresh(Run.select(Run.id).where(Run.id > 1))
    found: Any = RunSummary.select(RunSummary.output_tps).order_by(RunSummary.run).tuples()
    assert [speed for (speed,) in found] == [101.0, 102.0, 103.0, 104.0]


def test_a_run_whose_job_is_forgotten_keeps_its_numbers(run: Run) -> None:
    before = summary(run).content
    Job.delete().execute()
    assert summary(run).content == before


def test_a_summary_goes_with_its_run(run: Run) -> None:
    summary(run)
    Run.delete().where(Run.id == run.id).execute()
    assert RunSummary.select().count() == 0


def test_a_locked_database_leaves_it_to_the_next_time(
    run: Run, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    @contextmanager
    def locked() -> Iterator[None]:
        raise OperationalError("database is locked")
        yield

    with monkeypatch.context() as patch:
        patch.setattr(db, "write", locked)
        summaries.refresh([run.id])
    assert RunSummary.select().count() == 0
    assert "not stored yet" in caplog.text
    assert summary(run).ok == 9
