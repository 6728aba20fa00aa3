"""One reader at one level: run it, ask the endpoint for the truth, compare."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import asdict, dataclass, field
from typing import Any

from tests.bench.accuracy import Accuracy, Reading, accuracy_of
from tests.bench.endpoints import Pace, serving

_TIMEOUT_S = 300


@dataclass(frozen=True, slots=True)
class Cell:
    """A level that a reader reads: streams, requests on each, tokens of each answer."""

    reader: str
    streams: int
    rounds: int
    pace: Pace
    tokens: int = 200


@dataclass(frozen=True, slots=True)
class Row:
    """What came of a cell. CPU in microseconds for each chunk: all that the reader did, its
    sending and reading alone, and the process that was told the results."""

    endpoint: str
    cell: Cell
    accuracy: Accuracy
    cpu_us: float
    read_only_us: float | None
    reporting_us: float
    wall_s: float
    said: dict[str, Any] = field(default_factory=dict)

    @property
    def saturated(self) -> bool:
        """Whether the load generator says that it was."""
        return not {"generator_busy", "late_reads"}.isdisjoint(self.said.get("marks", ()))

    def document(self) -> dict[str, Any]:
        """As JSON."""
        return asdict(self)


def read(kind: str, cell: Cell) -> Row:
    """Run a reader in a process of its own against an endpoint of its own."""
    numbers = (cell.streams, cell.rounds, cell.tokens, cell.pace.service_s(cell.tokens))
    with serving(kind, cell.pace) as endpoint:
        command = [sys.executable, "-m", "tests.bench.readers", cell.reader, endpoint.base_url]
        done = subprocess.run(
            command + [str(number) for number in numbers],
            check=True,
            stdout=subprocess.PIPE,
            text=True,
            timeout=_TIMEOUT_S,
        )
        said = json.loads(done.stdout.splitlines()[-1])
        readings = [Reading(**reading) for reading in said["readings"]]
        ids = {reading.id for reading in readings}
        truth = [record for record in endpoint.truth() if record.id in ids]
    accuracy = accuracy_of(readings, truth, cell.pace, cell.streams)
    chunk = 1e6 / max(1, accuracy.events)
    decode = said["decode_s"]
    return Row(
        endpoint=kind,
        cell=cell,
        accuracy=accuracy,
        cpu_us=said["cpu_s"] * chunk,
        read_only_us=None if decode is None else (said["cpu_s"] - decode) * chunk,
        reporting_us=said["reporting_s"] * chunk,
        wall_s=said["wall_s"],
        said=said["said"],
    )
