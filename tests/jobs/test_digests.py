"""A stored digest says what the report would say, and is made anew when it would not."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest
from peewee import OperationalError

from engine.events import LevelDone
from engine.report import results, verdict
from engine.report.digest import digest
from engine.samples import LevelClient, LevelKey, Sample
from engine.specs import LoadSpec
from jobs import digests
from jobs.store import (
    describe_targets,
    level_entry,
    load_page,
    load_samples,
    load_targets,
    store_samples,
)
from tests.engine.report.builders import at_speed, failed, sample, spec_for, target
from webapp import db
from webapp.models import Job, Run, RunDigest, User
from webapp.settings import Settings

FAST = target("fast")


@pytest.fixture
def alice(settings: Settings) -> Iterator[User]:
    db.open_database(settings)
    with db.connection():
        yield User.create(email="alice@example.org", password_hash="!")


def stored(user: User, samples: list[Sample], **spec: Any) -> Run:
    asked = spec_for([FAST], **spec)
    job = Job.create(user=user, kind="benchmark", spec={}, state="done", attempt=1)
    run: Run = Run.create(
        user=user,
        job=job,
        name="A run",
        spec=asked.model_dump(mode="json"),
        targets=describe_targets([FAST]),
    )
    store_samples(run, samples)
    return run


def on_level(level: str, *taken: Sample) -> list[Sample]:
    return [replace(item, key=item.key._replace(level=level)) for item in taken]


@pytest.fixture
def run(alice: User) -> Run:
    warm = sample("fast", 0, warmup=True, cost_usd=7.0, connect_ms=2.0)
    return stored(alice, [warm, *at_speed("fast", [180.1, 182.7, 181.3]), failed("fast", 3)])


def test_what_is_stored_is_what_the_samples_say(run: Run) -> None:
    made = digests.kept(run)
    taken = load_samples(run)
    found = results(taken, load_targets(run), spec_for([FAST]))
    assert digests.stored(run) == made
    assert made.digests == tuple(digest(result, taken) for result in found)
    assert made.verdict == verdict(found)
    assert made.samples == 5
    assert made.spent == digests.Spent(7.003, 0)
    assert made.digests[0].opening["connect_ms"].p50 == 2.0
    assert made.digests[0].trouble == "The server answered 500."


def test_it_is_made_anew_when_the_run_has_changed(run: Run) -> None:
    digests.kept(run)
    store_samples(run, [sample("fast", 4)])
    assert digests.stored(run) is None
    assert digests.kept(run).samples == 6
    assert RunDigest.select().count() == 1


def test_levels_are_read_one_by_one_and_warm_ups_are_paid_once(
    alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Any] = []

    def one_level(*args: Any, **kwargs: Any) -> list[Sample]:
        asked.append(kwargs.get("where"))
        return load_samples(*args, **kwargs)

    monkeypatch.setattr(digests, "load_samples", one_level)
    unpriced = [sample("fast", run, cost_usd=None) for run in range(3)]
    taken = [sample("fast", 0, warmup=True), *on_level("c1", sample("fast", 0))]
    taken += on_level("c4", *unpriced)
    run = stored(alice, taken, load=LoadSpec(levels=(1, 4)))
    made = digests.kept(run)
    assert [item.result.requests.ok for item in made.digests] == [1, 3]
    assert made.spent == digests.Spent(0.002, 3)
    assert None not in asked


def test_levels_kept_on_the_way_make_the_same_digest(alice: User) -> None:
    taken = [sample("fast", 0, warmup=True), *on_level("c1", *at_speed("fast", [90.0, 91, 99]))]
    taken += on_level("c4", *at_speed("fast", [50.0, 51, 52]))
    run = stored(alice, taken, load=LoadSpec(levels=(1, 4)))
    plain = digests.refresh(run)
    RunDigest.delete().execute()
    for level in ("c1", "c4"):
        where = LevelKey("demo", "fast", 0, level)
        client = LevelClient(1, 3, 0, 0.5, 10.0, 0.05, 0.1, 0.2, ("backlog",))
        run.levels = [*run.levels, level_entry(LevelDone(where, client))]
        run.save()
        digests.keep_level(run, where)
    assert digests.stored(run) is None
    assert set(digests.kept_levels(run)) == {LevelKey("demo", "fast", 0, n) for n in ("c1", "c4")}
    made = digests.kept(run)
    assert [item.result.ttft_ms for item in made.digests] == [
        item.result.ttft_ms for item in plain.digests
    ]
    assert made.digests[0].result.client.marks == ("backlog",)
    assert made.spent.usd == pytest.approx(plain.spent.usd)
    assert digests.stored(run) == made


def test_a_locked_database_gives_it_all_the_same(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    @contextmanager
    def locked() -> Iterator[None]:
        raise OperationalError("database is locked")
        yield

    monkeypatch.setattr(db, "write", locked)
    assert digests.kept(run).samples == 5
    monkeypatch.undo()
    assert digests.stored(run) is None


def test_pages_of_samples_go_forwards_and_newest_first(run: Run) -> None:
    ids = [row_id for row_id, _ in load_page(run, count=9)]
    assert ids == sorted(ids)
    assert [i for i, _ in load_page(run, first=1, count=2)] == ids[1:3]
    newest = load_page(run, count=2, newest=True)
    assert [i for i, _ in newest] == ids[:-3:-1]
    assert newest[0][1].error == "server"
    assert load_page(run, first=99, count=2) == []
