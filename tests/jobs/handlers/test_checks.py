"""Interactive checks, run by a real consumer of the quick lane."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from engine.specs import KeyTestSpec, ModelListSpec, Spec
from jobs import submit
from tests.hostile import Hostile, hostile_server
from tests.jobs.conftest import Consumer, leave_idle, reaches
from webapp import catalog, vault
from webapp.models import ApiKey, Job, ModelEntry, Provider, User
from webapp.settings import Settings

KEY = "sk-alice-0123456789abcdef"


@pytest.fixture
def server() -> Iterator[Hostile]:
    with hostile_server() as hostile:
        yield hostile


@pytest.fixture(scope="module")
def quick(shared: Settings, demo: Any) -> Iterator[Consumer]:
    """A consumer of the quick lane that knows the demo server's port."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DEMO_PORT", str(demo.port))
        consumer = Consumer("quick", 1, shared.data / "quick.log")
    yield consumer
    consumer.kill_all()


@pytest.fixture
def studio(shared: Settings) -> Iterator[Settings]:
    yield shared
    leave_idle()


def own(user: User, settings: Settings, base: str, model: str | None = None) -> Provider:
    row: Provider = Provider.create(
        user=user, key="acme", display_name="Acme", model_id_prefix="openai/", api_base=base
    )
    token = vault.encrypt(settings, KEY)
    ApiKey.create(provider=row, user=user, token=token, last4=KEY[-4:])
    if model:
        ModelEntry.create(provider=row, model_id=model, display_name=model)
    return row


def check(user: User, spec: Spec) -> Job:
    kind = str(spec.model_dump()["kind"])
    return submit.submit(user, kind, spec, title="A check", lane="quick")


def test_the_demo_provider_needs_no_key(alice: User, studio: Settings, quick: Consumer) -> None:
    catalog.seed_providers(alice, studio)
    row = reaches(check(alice, KeyTestSpec(provider="demo")), "done", timeout_s=25)
    assert row.result["ok"] is True
    assert row.result["text"] == "Demo (simulated) answered with fast-small."
    assert 50 < row.result["latency_ms"] < 5_000


def test_a_model_list_comes_from_the_provider_with_the_users_key(
    alice: User, studio: Settings, server: Hostile, quick: Consumer
) -> None:
    own(alice, studio, f"{server.url}/v1")
    server.answer("/v1/models", {"data": [{"id": "a", "max_model_len": 4096}]})
    row = reaches(check(alice, ModelListSpec(provider="acme")), "done", timeout_s=25)
    [model] = row.result["models"]
    assert (row.result["source"], model["id"], model["context_window"]) == ("provider", "a", 4096)
    assert server.seen[0][1]["authorization"] == f"Bearer {KEY}"


def test_a_refused_key_is_a_result_and_no_key_is_stored(
    alice: User, studio: Settings, server: Hostile, quick: Consumer
) -> None:
    own(alice, studio, f"{server.url}/v1")
    server.answer("/v1/models", {"error": f"bad key {KEY}"}, 401)
    tested = reaches(check(alice, KeyTestSpec(provider="acme")), "done", timeout_s=25)
    assert tested.result["ok"] is False
    assert tested.result["text"].startswith("Acme refused the key (HTTP 401)")
    listed = reaches(check(alice, ModelListSpec(provider="acme")), "failed")
    assert listed.error == tested.result["text"]
    for row in Job.select().dicts():
        assert KEY not in str(row)


def test_somebody_elses_provider_is_unknown(
    alice: User, bob: User, studio: Settings, server: Hostile, quick: Consumer
) -> None:
    own(alice, studio, f"{server.url}/v1")
    row = reaches(check(bob, KeyTestSpec(provider="acme")), "done", timeout_s=25)
    assert row.result["text"] == "You have no provider 'acme'. Add it in Settings → Providers."
    assert reaches(check(bob, ModelListSpec(provider="acme")), "failed").error == row.result["text"]
    assert server.seen == []


def test_a_key_that_cannot_be_read_is_never_replaced_by_another(
    alice: User, studio: Settings, server: Hostile, quick: Consumer
) -> None:
    row = own(alice, studio, f"{server.url}/v1", model="a")
    ApiKey.update(token=b"gAAAAAdamaged").where(ApiKey.provider == row.id).execute()
    tested = reaches(check(alice, KeyTestSpec(provider="acme")), "done", timeout_s=25)
    assert tested.result["ok"] is False
    assert "cannot be decrypted" in tested.result["text"]
    assert server.seen == []
