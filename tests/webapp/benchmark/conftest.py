"""Alice has the providers of config.yaml here, and no figures are left from another test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.webapp.conftest import Person
from webapp import catalog
from webapp.benchmark import figures
from webapp.settings import Settings


@pytest.fixture
def alice(alice: Person, settings: Settings) -> Person:
    catalog.seed_providers(alice.user, settings)
    return alice


@pytest.fixture(autouse=True)
def _nothing_remembered() -> Iterator[None]:
    figures.forget()
    yield
    figures.forget()
