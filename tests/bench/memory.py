"""Memory of a load run: everything that it starts, over the process that was there before."""

from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path

from tests.bench.endpoints import Pace, kinds, serving
from tests.bench.outcome import Check, Outcome

_STREAMS, _ROUNDS, _TOKENS = 256, 4, 200
_PACE = Pace()
_EVERY_S = 0.1


def run(quick: bool) -> Outcome:
    """1,024 requests over 256 streams, watched from outside."""
    tokens = 50 if quick else _TOKENS
    with serving(kinds()[0], _PACE) as endpoint:
        numbers = (_STREAMS, _ROUNDS, tokens, _PACE.service_s(tokens))
        command = [sys.executable, "-m", "tests.bench.readers", "studio", endpoint.base_url]
        command += [str(number) for number in numbers]
        idle = _idle_mb()
        with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
            most = _watch(process)
        if process.returncode:
            raise RuntimeError("the run did not go through")
    over = most - idle
    return Outcome(
        {"idle_worker_mb": idle, "most_mb": most},
        [Check("memory of 1,024 requests on 256 streams over an idle worker", over, 300.0, " MB")],
        f"1,024 requests on 256 streams take {over:.0f} MB over the idle worker's {idle:.0f} MB.",
    )


def _watch(process: subprocess.Popen[bytes]) -> float:
    """The most memory of a process and its children until it ends."""
    reader = threading.Thread(target=process.communicate, daemon=True)
    reader.start()
    most = 0.0
    while reader.is_alive():
        most = max(most, sum(_memory_mb(pid) for pid in (process.pid, *_children(process.pid))))
        reader.join(_EVERY_S)
    return most


def _idle_mb() -> float:
    """What a worker takes that has loaded its code and does nothing."""
    program = "import jobs.runner, jobs.handlers, sys; print('ready', flush=True); sys.stdin.read()"
    with subprocess.Popen(
        [sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        if process.stdout:
            process.stdout.readline()
        idle = _memory_mb(process.pid)
        process.communicate()
    return idle


def _children(pid: int) -> list[int]:
    try:
        words = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except OSError:  # it ended meanwhile
        return []
    return [int(word) for word in words]


def _memory_mb(pid: int) -> float:
    """Proportional set size: pages that are shared count in part."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0.0
    return next((int(line.split()[1]) / 1024 for line in lines if line.startswith("Pss:")), 0.0)
