"""Shared fixtures: settings in a temporary folder, a real demo server, and the cast."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings

from webapp.settings import Settings

# Machines are shared: how long a draw takes says nothing about what is tested.
hypothesis_settings.register_profile(
    "studio", deadline=None, max_examples=50, suppress_health_check=[HealthCheck.too_slow]
)
hypothesis_settings.load_profile("studio")


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Settings of a private installation in a temporary folder."""
    from cryptography.fernet import Fernet

    return Settings(
        data=tmp_path / "data",
        secret_key="test-secret-key-of-enough-length-0123456789",
        fernet_keys=(Fernet.generate_key().decode(),),
        testing=True,
    )


@pytest.fixture(scope="session")
def demo() -> Iterator[object]:
    """A real demo server on a free loopback port, with its truth log."""
    from engine.demo.process import DemoServer

    with DemoServer() as server:
        yield server
