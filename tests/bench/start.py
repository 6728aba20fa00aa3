"""How soon `studio bench` sends its first request, from the moment it is started."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path
from statistics import median

from tests.bench.endpoints import Pace, kinds, serving
from tests.bench.outcome import Check, Outcome

_STUDIO = Path(sys.executable).with_name("studio")
_MODES = {"one by one": ["--runs", "1"], "under load": ["--concurrency", "16", "--requests", "32"]}


def run(quick: bool) -> Outcome:
    """Both kinds of run; the median of a few starts."""
    found = {name: _first_request_s(flags, 1 if quick else 5) for name, flags in _MODES.items()}
    said = " and ".join(f"{seconds:.1f} s {name}" for name, seconds in found.items())
    return Outcome(
        {f"first_request_s, {name}": seconds for name, seconds in found.items()},
        [Check(f"first request, {name}", s, 2.0, " s") for name, s in found.items()],
        f"`studio bench` sends its first request after {said}.",
    )


def _first_request_s(flags: list[str], times: int) -> float:
    return median(_once(flags) for _ in range(times))


def _once(flags: list[str]) -> float:
    with serving(kinds()[0], Pace(first_ms=10.0, gap_ms=1.0)) as endpoint:
        command = [str(_STUDIO), "bench", "--base-url", endpoint.base_url, "--model-id", "m",
                   "--max-tokens", "8", "--no-save", *flags]  # fmt: skip
        started = time.monotonic_ns()
        subprocess.run(command, check=True, capture_output=True, timeout=60)
        return (min(record.received_ns for record in endpoint.truth()) - started) / 1e9
