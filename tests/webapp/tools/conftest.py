"""Alice has the providers of config.yaml here."""

from __future__ import annotations

import pytest

from tests.webapp.conftest import Person
from webapp import catalog
from webapp.settings import Settings


@pytest.fixture
def alice(alice: Person, settings: Settings) -> Person:
    catalog.seed_providers(alice.user, settings)
    return alice
