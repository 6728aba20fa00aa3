from __future__ import annotations

from collections.abc import Iterator

import pytest
from peewee import IntegrityError

from webapp import db, models
from webapp.models import Job, ModelEntry, Provider, Run, SampleRow, User
from webapp.settings import Settings


@pytest.fixture
def alice(settings: Settings) -> Iterator[User]:
    db.open_database(settings)
    with db.connection():
        yield User.create(email="alice@example.com", password_hash="x")


def test_every_table_that_belongs_to_somebody_names_its_user() -> None:
    through_an_owner = {
        "sample": "run",
        "run_summary": "run",
        "run_digest": "run",
        "model_entry": "provider",
        "suite_version": "suite",
        "trial": "eval",
        "trial_detail": "trial",
    }
    for table in models.TABLES:
        if table is User:
            continue
        name = table._meta.table_name
        assert through_an_owner.get(name, "user") in table._meta.fields, name


def test_json_columns_give_back_what_was_put_in(alice: User) -> None:
    spec = {"targets": [{"provider": "demo", "model": "fast"}], "temperature": None}
    job = Job.create(user=alice, kind="benchmark", spec=spec)

    again = Job.get_by_id(job.id)
    assert again.spec == spec
    assert again.result is None


def test_json_columns_refuse_what_json_cannot_say(alice: User) -> None:
    with pytest.raises(ValueError, match="JSON"):
        Job.create(user=alice, kind="benchmark", spec={"ttft_ms": float("nan")})


def test_default_lists_are_not_shared_between_rows(alice: User) -> None:
    first, second = Run(user=alice, name="a", spec={}), Run(user=alice, name="b", spec={})
    first.notices.append("x")

    assert second.notices == []


def test_a_sample_exists_once_in_its_run(alice: User) -> None:
    run = Run.create(user=alice, name="a", spec={})
    key = {"run": run, "provider": "p", "model": "m", "context_tokens": 0, "run_index": 0}
    SampleRow.create(**key, outcome="ok")

    with pytest.raises(IntegrityError):
        SampleRow.create(**key, outcome="failed")
    SampleRow.create(**key, warmup=True, outcome="ok")


def test_a_provider_key_is_unique_to_its_user_only(alice: User) -> None:
    bob = User.create(email="bob@example.com", password_hash="x")
    row = {"key": "demo", "display_name": "Demo", "model_id_prefix": "openai/"}
    Provider.create(user=alice, **row)
    Provider.create(user=bob, **row)

    with pytest.raises(IntegrityError):
        Provider.create(user=alice, **row)


def test_deleting_a_provider_deletes_its_models(alice: User) -> None:
    provider = Provider.create(user=alice, key="d", display_name="D", model_id_prefix="openai/")
    ModelEntry.create(provider=provider, model_id="m", display_name="M")

    provider.delete_instance()

    assert ModelEntry.select().count() == 0
