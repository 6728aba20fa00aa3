"""Filtering and sorting happen in the database and agree with what rows show."""

from __future__ import annotations

import itertools
import random
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from tests.webapp.conftest import Person
from tests.webapp.history.conftest import DAY_S, add_run, ladder
from webapp import db
from webapp.history import queries
from webapp.history.filters import SORTS, Filters, read
from webapp.history.queries import Listed
from webapp.listing import STATES
from webapp.models import Job, Run, RunSummary, User

MODELS = ("fast-small", "jittery", "slow-large", "org/100%_sure")
PROVIDERS = ("demo", "acme", "Größe")
NAMES = ("Nightly", "Recursion again", "100% sure", "<b>bold</b>", "a_b", "Über alles")


@pytest.fixture
def many(alice: Person) -> User:
    """Forty runs of every kind, four of them with nothing measured; one is deleted."""
    rng = random.Random(7)
    for number in range(40):
        chosen = rng.sample(MODELS, rng.randint(1, 3))
        answers = 0 if number % 10 == 3 else rng.randint(1, 4)
        cost = None if number % 7 == 5 else rng.choice([0.0, 0.001, 0.25])
        add_run(
            alice.user,
            {model: ladder(rng.choice([80, 120, 180]), answers) for model in chosen},
            name=rng.choice(NAMES),
            provider=rng.choice(PROVIDERS),
            firsts={model: ladder(rng.choice([100, 300]), answers) for model in chosen},
            state=rng.choice(STATES),
            age_s=rng.randint(0, 6) * DAY_S + number,
            sample_fields={"cost_usd": cost},
        )
    Run.update(deleted_at=1.0).where(Run.id == 7).execute()
    Run.update(job=None).where(Run.id == 8).execute()
    return alice.user


def everything(user: User) -> list[Listed]:
    return queries.every(user, Filters())


def matches(listed: Listed, filters: Filters) -> bool:
    """What the filters mean, said once more without a database."""
    run = listed.run
    words = [
        run.name,
        *(target[key] for target in run.targets for key in ("label", "model", "provider")),
        *(target["provider_label"] for target in run.targets),
    ]
    day = datetime.fromtimestamp(run.created_at, UTC).date()
    return (
        all(any(word.lower() in text.lower() for text in words) for word in filters.q.split())
        and filters.state in ("", listed.state)
        and any(
            filters.provider in ("", target["provider"]) and filters.model in ("", target["model"])
            for target in run.targets
        )
        and (not filters.since or day >= date.fromisoformat(filters.since))
        and (not filters.until or day <= date.fromisoformat(filters.until))
    )


def any_filters(rng: random.Random) -> Filters:
    today = datetime.now(UTC).date()
    first, last = sorted((today - timedelta(days=rng.randint(0, 7))) for _ in "ab")
    typed = {
        "q": rng.choice(["", "", "night", "SURE", "%", "_", "über", "GRÖSSE fast", "größe", "o b"]),
        "state": rng.choice(["", "", *STATES]),
        "provider": rng.choice(["", "", *PROVIDERS, "demo%"]),
        "model": rng.choice(["", "", *MODELS, "fast"]),
        "from": rng.choice(["", str(first)]),
        "to": rng.choice(["", str(last)]),
    }
    filters, errors = read(typed)
    assert not errors
    return filters


def test_what_is_found_is_what_matches_and_nothing_else(many: User) -> None:
    known, rng, found = everything(many), random.Random(3), 0
    assert len(known) == 39
    for _ in range(120):
        filters = any_filters(rng)
        ids = {listed.run.id for listed in queries.every(many, filters)}
        assert ids == {listed.run.id for listed in known if matches(listed, filters)}, filters
        found += bool(ids)
    assert found > 20


def value(listed: Listed, sort: str) -> Any:
    content = listed.content
    return {
        "when": listed.run.created_at,
        "name": listed.run.name.lower(),
        "state": listed.state,
        "ok": content["requests"]["ok"],
        "speed": (content["fastest"] or {}).get("output_tps", {}).get("p50"),
        "first": (content["earliest"] or {}).get("ttft_ms", {}).get("p50"),
        "cost": content["cost_usd"],
    }[sort]


@pytest.mark.parametrize("descending", [True, False])
@pytest.mark.parametrize("sort", SORTS)
def test_the_order_is_that_of_the_column_and_unknown_comes_last(
    many: User, sort: str, descending: bool
) -> None:
    listed = queries.every(many, Filters(sort=sort, descending=descending))
    values = [value(item, sort) for item in listed]
    known = [item for item in values if item is not None]
    if sort != "name":
        assert known == sorted(known, reverse=descending)
    assert values == known + [None] * (len(values) - len(known))
    for above, below in itertools.pairwise(listed):
        if value(above, sort) == value(below, sort) and sort != "when":
            assert above.run.created_at > below.run.created_at


def test_names_sort_without_regard_to_case(alice: Person) -> None:
    for name in ("b", "A", "C", "a b"):
        add_run(alice.user, {"m": [1.0]}, name=name)
    listed = queries.every(alice.user, Filters(sort="name", descending=False))
    assert [item.run.name for item in listed] == ["A", "a b", "b", "C"]


def test_pages_are_full_and_hold_every_run_once(
    many: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queries, "PAGE_SIZE", 10)
    pages = [queries.page(many, Filters(sort="speed", page=number)) for number in (1, 2, 3, 4)]
    assert [len(page.runs) for page in pages] == [10, 10, 10, 9]
    together = [listed.run.id for page in pages for listed in page.runs]
    every = queries.every(many, Filters(sort="speed"))
    assert together == [listed.run.id for listed in every]
    assert [(page.total, page.last) for page in pages] == [(39, 4)] * 4


def test_a_page_beyond_the_last_is_the_last(many: User, charlie: Person) -> None:
    page = queries.page(many, Filters(page=99))
    assert (page.number, page.last, len(page.runs), page.first_place) == (2, 2, 14, 26)
    nothing = queries.page(charlie.user, Filters(page=99))
    assert (nothing.number, nothing.last, nothing.total, nothing.runs) == (1, 1, 0, [])


def statements(user: User, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What one look at a list that is summarised already asks the database."""
    queries.page(user, Filters(sort="speed"))
    seen: list[str] = []
    database = db.database.obj
    real = database.execute_sql

    def noted(sql: str, *rest: Any) -> Any:
        seen.append(sql)
        return real(sql, *rest)

    with monkeypatch.context() as patch:
        patch.setattr(database, "execute_sql", noted)
        queries.page(user, Filters(sort="speed"))
    return seen


def test_a_longer_list_asks_the_database_no_more_often(
    alice: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    add_run(alice.user, {"fast": [1.0], "slow": [2.0]})
    few = statements(alice.user, monkeypatch)
    for _ in range(20):
        add_run(alice.user, {"fast": [1.0], "slow": [2.0]})
    many = statements(alice.user, monkeypatch)
    assert len(few) == len(many) <= 6
    assert not any("arrivals" in sql for sql in many)


def test_summaries_are_stored_by_the_first_look(many: User) -> None:
    assert RunSummary.select().count() == 0
    queries.page(many, Filters())
    assert RunSummary.select().count() == queries.PAGE_SIZE
    queries.page(many, Filters(sort="cost"))
    assert RunSummary.select().count() == 39


def test_a_run_whose_job_is_gone_is_done(alice: Person) -> None:
    add_run(alice.user, {"m": [1.0]}, state="failed")
    Job.delete().execute()
    assert [listed.state for listed in queries.every(alice.user, Filters(state="done"))] == ["done"]


def test_provider_and_model_must_be_those_of_one_target(alice: Person) -> None:
    run = add_run(alice.user, {"fast": [1.0]}, provider="demo")
    other = {**run.targets[0], "provider": "acme", "model": "slow"}
    Run.update(targets=[*run.targets, other]).execute()
    found = [
        queries.page(alice.user, Filters(provider=provider, model=model)).total
        for provider, model in (("demo", "fast"), ("acme", "slow"), ("demo", "slow"))
    ]
    assert found == [1, 1, 0]


def test_the_filters_offer_what_was_run_by_its_label(alice: Person, charlie: Person) -> None:
    add_run(alice.user, {"m-2": [1.0], "m-1": [1.0]}, labels={"m-2": "a two", "m-1": "B one"})
    add_run(alice.user, {"m-2": [1.0]}, provider="acme")
    add_run(charlie.user, {"secret": [1.0]}, provider="vault")
    providers, models = queries.offered(alice.user)
    assert providers == [("acme", "Acme"), ("demo", "Demo")]
    assert models == [("m-1", "B one"), ("m-2", "m-2")]


def test_the_latest_runs_have_no_figures_while_they_go_on(alice: Person) -> None:
    add_run(alice.user, {"m": [50.0]}, name="old", age_s=9)
    add_run(alice.user, {"m": [60.0]}, name="ended", age_s=5)
    add_run(alice.user, {"m": [70.0]}, name="going on", state="running")
    newest, ended = queries.latest(alice.user, 2)
    assert (newest.run.name, newest.content["fastest"]) == ("going on", None)
    assert (ended.run.name, ended.content["fastest"]["output_tps"]["p50"]) == ("ended", 60.0)


def test_strange_and_deleted_runs_are_nowhere(many: User, charlie: Person) -> None:
    theirs = add_run(charlie.user, {"m": [1.0]})
    deleted = {7, theirs.id}
    assert not deleted & {listed.run.id for listed in everything(many)}
    assert not deleted & {run.id for run in queries.recent(many)}
    assert not deleted & {listed.run.id for listed in queries.latest(many, 99)}
    assert [run.id for run in queries.recent(charlie.user)] == [theirs.id]
    Run.update(deleted_at=1.0).where(Run.id == theirs.id).execute()
    assert not queries.has_any(charlie.user)
