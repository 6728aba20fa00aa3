from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from jobs import queue
from tests.jobs.conftest import ROOT
from webapp import db
from webapp.settings import Settings

_IMPORT = """
import sys
from jobs import queue
slow = {"litellm", "flask", "scipy", "numpy", "pydantic", "engine", "jobs.runner"}
print(sorted(slow & set(sys.modules)))
"""


def test_importing_the_queue_is_cheap_and_opens_nothing(tmp_path: Path) -> None:
    answer = subprocess.run(
        [sys.executable, "-c", _IMPORT],
        env={"STUDIO_DATA": str(tmp_path / "data"), "PYTHONPATH": str(ROOT)},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )

    assert answer.stdout == "[]\n"
    assert not (tmp_path / "data").exists()


def test_the_queue_lies_beside_the_open_database(settings: Settings) -> None:
    db.open_database(settings)

    queue.wake("main", 1)
    queue.wake("quick", 2)

    assert settings.queue_path.exists()
    assert (settings.data / "queue-quick.db").exists()
    assert (queue.pending("main"), queue.pending("quick")) == (1, 1)
    for lane in (queue.main, queue.quick):
        lane.storage.close()


def test_another_database_has_another_queue(settings: Settings, tmp_path: Path) -> None:
    db.open_database(settings)
    queue.wake("main", 1)

    db.open_database(Settings(data=tmp_path / "other"))
    assert queue.pending("main") == 0

    db.open_database(settings)
    assert queue.pending("main") == 1
    queue.main.storage.close()


def test_without_a_database_the_environment_says_where(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("DATABASE_URL", raising=False)
    monkeypatch.setenv("STUDIO_DATA", str(tmp_path / "elsewhere"))
    monkeypatch.setattr(db, "is_open", lambda: False)

    queue.wake("main", 1)

    assert (tmp_path / "elsewhere" / "queue.db").exists()
    queue.main.storage.close()


def test_a_wake_up_carries_the_id_only(settings: Settings) -> None:
    db.open_database(settings)

    queue.wake("main", 17)

    task = queue.main.dequeue()
    assert (task.name, task.args, task.kwargs) == ("run_job", (17,), {})
    queue.main.storage.close()


def test_a_lane_without_a_consumer_has_no_sign_of_life(settings: Settings) -> None:
    db.open_database(settings)
    assert queue.beat_age_s("main") is None

    queue.beat("main")

    age = queue.beat_age_s("main")
    assert age is not None
    assert 0 <= age < 5
    assert queue.beat_age_s("quick") is None
    for lane in (queue.main, queue.quick):
        lane.storage.close()
