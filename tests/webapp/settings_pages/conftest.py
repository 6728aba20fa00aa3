"""Alice's providers: one of the file, one of her own; and Charlie, who must see neither."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from jobs import queue
from tests.webapp.conftest import Person
from webapp import catalog
from webapp.models import AuditEntry, Job, ModelEntry, Provider
from webapp.settings import Settings

CONFIG = """
providers:
  demo:
    display_name: Demo (simulated)
    model_id_prefix: openai
    api_base: http://127.0.0.1:8502/v1
    models: [{id: fast-small, context_window: 200000, input_cost_per_mtok: 0.15}]
  acme:
    display_name: Acme
    model_id_prefix: mistral
    api_key_env: SETTINGS_PAGES_TEST_KEY
    models: [{id: m}]
"""
KEY = "sk-alice-0123456789abcdef"


@pytest.fixture
def settings(settings: Settings, tmp_path: Path) -> Iterator[Settings]:
    path = tmp_path / "config.yaml"
    path.write_text(CONFIG)
    yield replace(settings, config_file=path)
    queue.quick.storage.close()


@pytest.fixture
def alice(alice: Person, settings: Settings) -> Person:
    catalog.seed_providers(alice.user, settings)
    return alice


@pytest.fixture
def acme(alice: Person) -> Provider:
    """A provider of the file that needs a key."""
    row: Provider = Provider.get(Provider.user == alice.user.id, Provider.key == "acme")
    return row


@pytest.fixture
def mine(alice: Person) -> Provider:
    """A provider of Alice's own, whose names are markup."""
    row: Provider = Provider.create(
        user=alice.user,
        key="mine",
        display_name="<b>Mine</b>",
        model_id_prefix="openai/",
        api_base="http://127.0.0.1:9300/v1",
        position=9,
    )
    ModelEntry.create(provider=row, model_id="<i>small</i>", display_name="<i>Small</i>")
    return row


@pytest.fixture
def model(mine: Provider) -> ModelEntry:
    row: ModelEntry = ModelEntry.get(ModelEntry.provider == mine.id)
    return row


def fresh(row: Any) -> Any:
    """The row as it is now."""
    return type(row).get_by_id(row.id)


def acts() -> list[str]:
    """What the audit log says, oldest first."""
    return [entry.action for entry in AuditEntry.select().order_by(AuditEntry.id)]


def finish(job: Job, **columns: Any) -> None:
    """End a check as its worker would."""
    Job.update({"state": "done", "finished_at": 1.0, **columns}).where(Job.id == job.id).execute()
