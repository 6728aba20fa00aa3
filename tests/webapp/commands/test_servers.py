"""`studio demo` and `studio serve`: what they hand on."""

from __future__ import annotations

import subprocess
import sys
import urllib.request
from pathlib import Path
from typing import Any

import pytest

from tests.webapp.commands.conftest import Studio
from webapp.settings import Settings


def test_the_demo_provider_serves_until_it_is_stopped(folder: Path) -> None:
    words = ["demo", "--port", "0", "--truth", str(folder / "truth.jsonl"), "--seed", "7"]
    code = "import sys; from webapp.cli import main; sys.argv[0] = 'studio'; main()"
    with subprocess.Popen(
        [sys.executable, "-c", code, *words],
        cwd=Path(__file__).parents[3],
        stdout=subprocess.PIPE,
        text=True,
    ) as child:
        try:
            assert child.stdout is not None
            address = child.stdout.readline().split()[-1]
            with urllib.request.urlopen(f"{address}/v1/models", timeout=10) as answer:
                assert b"fast-small" in answer.read()
        finally:
            child.terminate()
    assert child.returncode == 0
    assert (folder / "truth.jsonl").exists()


def test_serve_hands_host_and_port_to_the_supervisor(
    studio: Studio, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[tuple[Any, ...]] = []

    def serve(settings: Settings, host: str | None, port: int | None) -> int:
        seen.append((settings.data.name, host, port))
        return 1

    monkeypatch.setattr("webapp.supervisor.serve", serve)
    assert studio("serve", "--host", "0.0.0.0", "--port", "0").exit_code == 1
    assert studio("serve").exit_code == 1
    assert seen == [("data", "0.0.0.0", 0), ("data", None, None)]
    assert studio("serve", "--port", "70000").exit_code == 2


def test_serve_names_a_bad_setting(studio: Studio, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PORT", "http")
    done = studio("serve")
    assert done.exit_code == 2
    assert "PORT is 'http'" in done.stderr
