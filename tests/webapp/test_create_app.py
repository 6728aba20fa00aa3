from __future__ import annotations

from dataclasses import replace

import pytest

from jobs import watchdog
from webapp import create_app
from webapp.settings import Settings


@pytest.mark.parametrize("testing", [True, False])
def test_the_web_watches_over_the_workers(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, testing: bool
) -> None:
    watched: list[Settings] = []
    monkeypatch.setattr(watchdog, "start_background", watched.append)
    chosen = replace(settings, testing=testing)

    create_app(chosen)

    assert watched == ([] if testing else [chosen])
