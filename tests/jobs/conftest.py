"""An installation with two users, and real consumers that work for it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from jobs import queue, states, submit
from jobs.handlers import HANDLERS
from tests.helpers import eventually
from tests.jobs.doubles import KINDS
from webapp import db
from webapp.models import ACTIVE_STATES, Job, User
from webapp.settings import Settings

ROOT = Path(__file__).parents[2]
# Short enough for a test, long enough for a busy machine.
TEST_LEASE_S = 2.0


@contextmanager
def installation(folder: Path) -> Iterator[Settings]:
    """A private installation that the environment points to, with its database open."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.delenv("DATABASE_URL", raising=False)
        patch.setenv("STUDIO_DATA", str(folder / "data"))
        for kind, module in KINDS.items():
            patch.setitem(HANDLERS, kind, module)
        settings = Settings.from_env()
        db.open_database(settings)
        with db.connection():
            yield settings
        queue.main.storage.close()
        queue.quick.storage.close()


@pytest.fixture
def studio(tmp_path: Path) -> Iterator[Settings]:
    """An installation of the test's own."""
    with installation(tmp_path) as settings:
        yield settings


def leave_idle() -> None:
    """End all jobs and forget all users, for the next test on a shared installation."""
    for job in Job.select().where(Job.state.in_(ACTIVE_STATES)):
        states.cancel(job.id)
    active = Job.select().where(Job.state.in_(ACTIVE_STATES))
    eventually(lambda: not active.clone().count(), what="an end of all jobs")
    User.delete().execute()


@pytest.fixture
def alice(studio: Settings) -> User:
    return User.create(email="alice@example.org", password_hash="!")


@pytest.fixture
def bob(studio: Settings) -> User:
    return User.create(email="bob@example.org", password_hash="!", is_admin=True)


@pytest.fixture
def gate(tmp_path: Path) -> Path:
    """Jobs of kind "wait" end when this file appears."""
    return tmp_path / "gate"


def waiting_job(
    user: User, gate: Path, *, lane: str = "main", deadline_s: float | None = None
) -> Job:
    """Submit a job that ends when `gate` appears."""
    spec = {"gate": str(gate)}
    return submit.submit(user, "wait", spec, title="Waiting", lane=lane, deadline_s=deadline_s)


def fresh(job: Job) -> Job:
    """The row of `job` as it is now."""
    again: Job = Job.get_by_id(job.id)
    return again


def reaches(job: Job, state: str, timeout_s: float = 10) -> Job:
    """Wait until `job` is in `state`, and return its row."""

    def probe() -> Job | None:
        row = fresh(job)
        return row if row.state == state else None

    return eventually(probe, timeout_s, what=f"state {state} of job {job.id}")


class Consumer:
    """A real Huey consumer: a process of its own, with worker processes.

    `app` is the module that holds the queues; the tests' one knows the test kinds and
    leaves LiteLLM to the jobs that need it.
    """

    def __init__(
        self, lane: str, workers: int, log: Path, app: str = "tests.jobs.worker_app"
    ) -> None:
        self._log = log.open("wb")
        self._process = subprocess.Popen(
            [
                *(sys.executable, "-m", "huey.bin.huey_consumer", f"{app}.{lane}"),
                *("-k", "process", "-w", str(workers), "-d", "0.05", "-m", "0.1", "-c", "1"),
            ],
            cwd=ROOT,
            env={**os.environ, "STUDIO_LEASE_S": str(TEST_LEASE_S)},
            stdout=self._log,
            stderr=self._log,
            start_new_session=True,
        )
        self.pid = self._process.pid

    def children(self) -> set[int]:
        """Process ids of the workers and the scheduler that are alive."""
        listed = Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text()
        return {int(pid) for pid in listed.split()}

    def ask_to_end(self) -> None:
        self._process.terminate()

    def wait(self, timeout_s: float = 10) -> int:
        return self._process.wait(timeout_s)

    def kill(self) -> None:
        """SIGKILL to the consumer alone; its workers are orphans then."""
        self._process.kill()
        self._process.wait()

    def kill_all(self) -> None:
        """SIGKILL to the consumer and all that it started."""
        with suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)
        self._process.wait()
        self._log.close()


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    """One installation for all tests of a module that overrides `studio`."""
    with installation(tmp_path_factory.mktemp("studio")) as settings:
        yield settings


@pytest.fixture
def consume(studio: Settings, tmp_path: Path) -> Iterator[Callable[..., Consumer]]:
    """Start consumers: `consume(lane="main", workers=2)`; whatever is left is killed."""
    started: list[Consumer] = []

    def start(lane: str = "main", workers: int = 2) -> Consumer:
        log = tmp_path / f"consumer-{len(started)}.log"
        started.append(Consumer(lane, workers, log))
        return started[-1]

    yield start
    for consumer in started:
        consumer.kill_all()
    for log in sorted(tmp_path.glob("consumer-*.log")):
        sys.stderr.write(f"--- {log.name}\n{log.read_text()}")


def pid_of(job: Job) -> int:
    """The process that works on `job`."""
    return int((fresh(job).worker or ":0").rpartition(":")[2])


def gone(pid: int) -> bool:
    """True when no process has this id (or only its zombie is left)."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].startswith("Z")
    except FileNotFoundError:
        return True
