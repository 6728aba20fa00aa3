"""A running installation: web, worker, quick lane and demo provider, as `make run` starts them."""

from __future__ import annotations

import json
import os
import re
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
PASSWORD = "a-long-enough-passphrase"
ADMIN = "bob@example.org"
# A worker that is killed is noticed after this many seconds instead of 30.
LEASE_S = 9.0
_STOP_S = 15


@dataclass(frozen=True)
class Studio:
    """`studio serve` on free ports, with a data folder of its own."""

    data: Path
    process: subprocess.Popen[str]
    url: str

    def pids(self, *words: str) -> list[int]:
        """The processes of this installation whose command line holds all `words`, oldest
        first: a program before the workers it started."""
        found = []
        for pid in _descendants(self.process.pid):
            line = _command_line(pid)
            if all(word in line for word in words):
                found.append(pid)
        return sorted(found)

    def demo_url(self) -> str:
        """The address of this installation's demo provider, as an endpoint of one's own."""
        (pid,) = self.pids("engine.demo")
        port = _command_line(pid).split("--port")[1].split()[0]
        return f"http://127.0.0.1:{port}/v1"

    def rows(self, query: str, *values: Any) -> list[sqlite3.Row]:
        """Read from the database, as another program would."""
        path = f"file:{self.data / 'studio.db'}?mode=ro"
        with closing(sqlite3.connect(path, uri=True)) as connection:
            connection.row_factory = sqlite3.Row
            return connection.execute(query, values).fetchall()

    def job_of(self, run_id: int) -> sqlite3.Row:
        """The job that fills a run."""
        (row,) = self.rows("SELECT job.* FROM job JOIN run ON run.job_id = job.id"
                           " WHERE run.id = ?", run_id)  # fmt: skip
        return row

    def samples_of(self, run_id: int) -> list[sqlite3.Row]:
        """The stored samples of a run, oldest first."""
        return self.rows("SELECT * FROM sample WHERE run_id = ? ORDER BY id", run_id)

    def worker_pid(self, run_id: int) -> int:
        """The process that measures a run now."""
        return int(str(self.job_of(run_id)["worker"]).rpartition(":")[2])


def spec_of(run: Mapping[str, Any] | sqlite3.Row) -> dict[str, Any]:
    """What a stored run asked for."""
    spec: dict[str, Any] = json.loads(run["spec"])
    return spec


@contextmanager
def running_studio(data: Path, **settings: str) -> Iterator[Studio]:
    """Start an installation with `data` as its folder; stopped at the end."""
    env = {
        **os.environ,
        "STUDIO_DATA": str(data),
        "DEMO_PORT": "0",
        "HOST": "127.0.0.1",
        "ADMIN_EMAIL": ADMIN,
        "ADMIN_PASSWORD": PASSWORD,
        "STUDIO_LEASE_S": str(LEASE_S),
        **settings,
    }
    process = subprocess.Popen(
        [str(Path(sys.executable).with_name("studio")), "serve", "--port", "0"],
        cwd=ROOT,
        env=env,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    try:
        yield Studio(data, process, _address_said_by(process))
    finally:
        _end(process)


def _address_said_by(process: subprocess.Popen[str]) -> str:
    said: list[str] = []
    for line in process.stdout or ():
        said.append(line)
        if found := re.search(r"runs at (http://[\d.:]+\d)", line):
            return found.group(1)
    raise AssertionError("studio serve did not start:\n" + "".join(said))


def _end(process: subprocess.Popen[str]) -> None:
    process.send_signal(signal.SIGTERM)
    try:
        process.communicate(timeout=_STOP_S)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()


def _descendants(root: int) -> set[int]:
    """Every process that `root` started, directly or not; sessions do not matter."""
    parents = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal() and (parent := _parent(entry)) is not None:
            parents[int(entry.name)] = parent
    found: set[int] = set()
    level = {root}
    while level:
        level = {pid for pid, parent in parents.items() if parent in level} - found
        found |= level
    return found


def _parent(entry: Path) -> int | None:
    try:
        # The name before the last bracket may hold anything.
        state, parent = (entry / "stat").read_text().rpartition(")")[2].split()[:2]
    except OSError:  # it ended meanwhile
        return None
    return None if state == "Z" else int(parent)


def _command_line(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()
    except OSError:
        return ""
