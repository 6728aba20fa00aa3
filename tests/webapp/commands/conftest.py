"""A terminal in an empty folder."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from webapp.cli import cli

Studio = Callable[..., Result]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working directory: empty, and without settings of this machine."""
    for name in ("STUDIO_DATA", "STUDIO_CONFIG", "DATABASE_URL", "FERNET_KEY", "DEMO_PORT"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def studio(folder: Path) -> Studio:
    """Runs `studio` with the given words."""

    def run(*words: str, **options: object) -> Result:
        return CliRunner().invoke(cli, words, **options)  # type: ignore[arg-type]

    return run
