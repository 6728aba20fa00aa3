"""A walk over every address of the application, as nobody and as Charlie.

New routes are covered by themselves: every integer in an address is the id of a row of
Alice's, because all her rows, in every table, have the same id.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from peewee import BlobField, BooleanField, FloatField, ForeignKeyField, IntegerField
from werkzeug.routing import Rule

from engine.specs import BenchmarkSpec, TargetRef, ToolEvalSpec
from tests.webapp.conftest import HTMX, Person, sign_in
from webapp.access import own_or_404
from webapp.models import TABLES, Eval, Job, ModelEntry, Provider, Run, User
from webapp.models.base import JSONText

ID = 4711
MARK = "alices-own-words"
PUBLIC = {
    "auth.login",
    "auth.register",
    "auth.sign_in",
    "auth.sign_up",
    "home.healthz",
    "home.index",
    "home.parts",
    "home.readyz",
    "home.robots",
    "home.set_theme",
}
SOCKET = {"Upgrade": "websocket", "Connection": "Upgrade"}
# What a request could name a row by, beside its path.
NAMES = {name: str(ID) for name in ("id", "ids", "run", "runs", "a", "b", "from", "before")}


def sample_value(field: Any) -> Any:
    """Something that a column of this kind holds; text carries the mark."""
    if isinstance(field, ForeignKeyField | IntegerField | FloatField):
        return ID
    if isinstance(field, JSONText):
        return {}
    if isinstance(field, BlobField):
        return b""
    return MARK


@pytest.fixture
def alices(app: Flask) -> Person:
    """Alice, with one row in every table; each has the same id."""
    alice = sign_in(app, f"{MARK}@example.org", id=ID)
    for table in TABLES:
        if table is not User:
            fields = [f for f in table._meta.sorted_fields if not f.primary_key]
            wanted = [f for f in fields if f.default is None or isinstance(f, ForeignKeyField)]
            wanted = [f for f in wanted if not isinstance(f, BooleanField)]
            row = {f.name: sample_value(f) for f in wanted if f.name != "deleted_at"}
            table.create(id=ID, **row)
    spec = BenchmarkSpec(name=MARK, targets=(TargetRef(provider=MARK, model=MARK),))
    Run.update(name=MARK, spec=spec.model_dump(mode="json"), targets=[]).execute()
    asked = ToolEvalSpec(targets=spec.targets).model_dump(mode="json")
    Eval.update(spec=asked, suite={"name": MARK}, targets=[]).execute()
    Job.update(title=MARK, state="failed", subject=ID, kind="benchmark").execute()
    return alice


def address(app: Flask, rule: Rule) -> str:
    """The address of `rule` with Alice's id, or her words, in every place."""
    values: dict[str, Any] = {}
    for name in rule.arguments:
        number = type(rule._converters[name]).__name__ == "IntegerConverter"
        values[name] = ID if number else MARK
    built = rule.build(values)
    assert built is not None, rule
    return built[1]


def walk(app: Flask) -> Iterator[tuple[Rule, str, str]]:
    """Every rule but static files, with each method and its address."""
    for rule in app.url_map.iter_rules():
        for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
            if rule.endpoint != "static":
                yield rule, method, address(app, rule)


def stored() -> dict[str, list[Any]]:
    """All that is Alice's, in every table."""
    return {table.__name__: list(table.select().where(table.id == ID).dicts()) for table in TABLES}


def ask(client: FlaskClient, rule: Rule, method: str, url: str) -> Any:
    headers = {**SOCKET, "Origin": "http://localhost"} if rule.websocket else {}
    query = NAMES if method == "GET" else {}
    return client.open(
        url, method=method, query_string=query, data=NAMES if method == "POST" else None,
        headers=headers,
    )  # fmt: skip


def test_only_these_pages_are_open_to_strangers(app: Flask) -> None:
    marked = {name for name, view in app.view_functions.items() if hasattr(view, "is_public")}

    assert marked == PUBLIC


def test_nobody_gets_nothing_but_the_way_to_the_login(
    app: Flask, alices: Person, nobody: FlaskClient
) -> None:
    before, walked = stored(), 0

    for rule, method, url in walk(app):
        if rule.endpoint in PUBLIC:
            continue
        answer = ask(nobody, rule, method, url)
        to_login = answer.status_code == 303 and answer.location.startswith("/login")
        assert to_login or answer.status_code in (401, 404), (method, url, answer.status)
        walked += 1

    assert walked > 5
    assert stored() == before


def test_charlie_gets_404_wherever_alices_id_stands(app: Flask, alices: Person) -> None:
    before, walked = stored(), 0

    for number, (rule, method, url) in enumerate(walk(app)):
        if rule.arguments:
            charlie = sign_in(app, f"charlie{number}@example.org").client
            answer = ask(charlie, rule, method, url)
            assert answer.status_code == 404, (method, url, answer.status)
            walked += 1

    assert walked >= 2
    assert stored() == before


def test_charlie_reads_nothing_of_alices_on_his_own_pages(app: Flask, alices: Person) -> None:
    before = stored()

    for number, (rule, method, url) in enumerate(walk(app)):
        if not rule.arguments and not rule.websocket:
            charlie = sign_in(app, f"charlie{number}@example.org").client
            answer = ask(charlie, rule, method, url)
            assert answer.status_code != 500, (method, url, answer.status)
            assert MARK not in answer.text, (method, url)

    assert stored() == before


def test_the_walk_would_see_alices_words(alices: Person) -> None:
    """Otherwise the walk above would prove nothing."""
    assert MARK in alices.get("/jobs").text
    assert alices.get("/").status_code == 200


def test_charlie_cannot_follow_alices_pages_live(app: Flask, alices: Person) -> None:
    charlie = sign_in(app, "charlie@example.org")
    headers = {**SOCKET, "Origin": "http://localhost"}

    answer = charlie.get(f"/live?topic=run:{ID}", headers=headers)

    assert answer.status_code == 404


def test_htmx_is_sent_to_the_login_and_back_to_its_page(nobody: FlaskClient) -> None:
    page = {**HTMX, "HX-Current-URL": "http://localhost/jobs?state=done"}

    answer = nobody.get("/jobs", headers=page)

    assert answer.status_code == 401
    assert answer.headers["HX-Redirect"] == "/login?next=/jobs?state%3Ddone"


def test_a_row_hangs_on_its_parents_owner(app: Flask, alice: Person, charlie: Person) -> None:
    provider = Provider.create(
        user=alice.user, key="p", display_name="P", model_id_prefix="openai/"
    )
    model = ModelEntry.create(provider=provider, model_id="m", display_name="M")
    app.add_url_rule("/t/<int:row_id>", "t", lambda row_id: own_or_404(ModelEntry, row_id).model_id)

    assert alice.get(f"/t/{model.id}").text == "m"
    assert charlie.get(f"/t/{model.id}").status_code == 404


def test_a_deleted_run_is_gone_but_for_its_undo(app: Flask, alice: Person) -> None:
    run = Run.create(user=alice.user, name="r", spec={}, deleted_at=1.0)
    app.add_url_rule("/t/<int:i>", "t", lambda i: own_or_404(Run, i).name)
    app.add_url_rule("/u/<int:i>", "u", lambda i: own_or_404(Run, i, deleted=True).name)

    assert alice.get(f"/t/{run.id}").status_code == 404
    assert alice.get(f"/u/{run.id}").text == "r"


@pytest.mark.parametrize("key", ["", "1", "1.", ".0", "1.0.0", "x.0", "-1.0", "1.1", "99.0"])
def test_a_session_that_names_no_user_is_nobodys(app: Flask, alice: Person, key: str) -> None:
    with alice.client.session_transaction() as session:
        session["_user_id"] = key

    assert alice.get("/jobs").location.startswith("/login")


def test_a_new_epoch_ends_every_session(alice: Person) -> None:
    assert alice.get("/jobs").status_code == 200
    User.update(session_epoch=1).execute()

    assert alice.get("/jobs").status_code == 303


def test_a_disabled_account_is_out_at_once(alice: Person) -> None:
    User.update(is_disabled=True).execute()

    assert alice.get("/jobs").status_code == 303
