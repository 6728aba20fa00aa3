"""The endpoints that are read: the demo's bench model, and `endpoint.c`, which shares no
code with the engine and is compiled when the bench starts."""

from __future__ import annotations

import atexit
import json
import shutil
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path

_SOURCE = Path(__file__).with_name("endpoint.c")
_ROOT = _SOURCE.parents[2]
COMPILER = shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")
DEMO, EXACT = "bench model", "independent"


@dataclass(frozen=True, slots=True)
class Pace:
    """First token after `first_ms`, then an event of `per_event` tokens every `gap_ms`; the end
    `finish_ms` after the last one. `capacity` streams are served at once, 0 is all. The first
    `reasoning` events carry reasoning (the independent endpoint alone knows how)."""

    first_ms: float = 100.0
    gap_ms: float = 10.0
    per_event: int = 1
    finish_ms: float = 0.0
    capacity: int = 0
    reasoning: int = 0

    def service_s(self, tokens: int) -> float:
        """How long an answer takes by plan."""
        events = -(-tokens // self.per_event)
        return (self.first_ms + (events - 1) * self.gap_ms + self.finish_ms) / 1e3

    def options(self) -> list[str]:
        """The same as options of a program."""
        given = {
            "--first-ms": self.first_ms,
            "--gap-ms": self.gap_ms,
            "--per-event": self.per_event,
            "--finish-ms": self.finish_ms,
            "--capacity": self.capacity,
            "--reasoning": self.reasoning,
        }
        return [word for name, value in given.items() if value for word in (name, f"{value:g}")]


@dataclass(frozen=True, slots=True)
class Truth:
    """What an endpoint did for one request. Nanoseconds of CLOCK_MONOTONIC: when the kernel had
    its last byte, when the endpoint read it, when service began, right before each event was
    sent, and right before the end was; `late_ns` is the worst delay behind the plan."""

    id: str
    received_ns: int
    noticed_ns: int
    start_ns: int
    end_ns: int
    late_ns: int
    output: int
    sends: Sequence[int]


@dataclass(frozen=True, slots=True)
class Served:
    """A running endpoint."""

    root: str
    pid: int

    @property
    def base_url(self) -> str:
        """What an OpenAI client is given."""
        return f"{self.root}/v1"

    def truth(self) -> list[Truth]:
        """The streams that ended since this was last asked."""
        with urllib.request.urlopen(f"{self.root}/truth", timeout=60) as answer:
            return [Truth(**json.loads(line)) for line in answer.read().splitlines()]


@contextmanager
def serving(kind: str, pace: Pace) -> Iterator[Served]:
    """Run an endpoint of `kind` (DEMO or EXACT) in a process of its own."""
    program = [sys.executable, "-m", "engine.demo.bench"] if kind == DEMO else [str(_compiled())]
    with subprocess.Popen(
        program + pace.options(), stdout=subprocess.PIPE, text=True, cwd=_ROOT
    ) as process:
        try:
            line = process.stdout.readline() if process.stdout else ""
            yield Served(line.rpartition(" on ")[2].strip(), process.pid)
        finally:
            process.terminate()


@cache
def _compiled() -> Path:
    if COMPILER is None:
        raise RuntimeError("The independent endpoint needs a C compiler.")
    folder = tempfile.mkdtemp(prefix="bench-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    program = Path(folder) / "endpoint"
    command = [COMPILER, "-O2", "-Wall", "-Wextra", "-Werror", "-o", str(program), str(_SOURCE)]
    subprocess.run(command, check=True)
    return program


def kinds() -> list[str]:
    """The endpoints that can be had on this machine, the independent one first."""
    return [EXACT, DEMO] if COMPILER else [DEMO]
