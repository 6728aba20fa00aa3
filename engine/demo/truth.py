"""The truth log: what was really sent, and when, one JSON line a chat request."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, fields
from pathlib import Path


@dataclass(slots=True)
class Record:
    """One request. Times are CLOCK_MONOTONIC nanoseconds, counts are tokens.

    `received_ns`: the request's last byte was read. `start_ns`: service began, after any
    wait for capacity. `sends[i]`: taken right before the write that completed the event with
    `tokens[i]`; the first `reasoning_sends` of them carried reasoning. `first_ns` is
    `sends[0]`. `end_ns`: taken right before the last bytes. `late_ns`: the worst delay of a
    send behind its plan. `output` is what the usage says, whether or not it was sent.
    `error` names what went wrong, by script or because the client left; `mistake` what a
    tool call got wrong on purpose. `recalled`: whether a fact that was asked for was found.
    """

    id: str
    model: str = ""
    script: str = ""
    ordinal: int = 0
    received_ns: int = 0
    start_ns: int = 0
    first_ns: int | None = None
    end_ns: int = 0
    sends: list[int] = field(default_factory=list)
    tokens: list[int] = field(default_factory=list)
    reasoning_sends: int = 0
    late_ns: int = 0
    input: int = 0
    output: int = 0
    reasoning: int = 0
    cached: int = 0
    status: int | None = None
    error: str | None = None
    tool: str | None = None
    mistake: str | None = None
    recalled: bool | None = None


_NAMES = tuple(entry.name for entry in fields(Record))


class TruthLog:
    """Appends records to a file; without a path they are dropped."""

    def __init__(self, path: Path | None) -> None:
        self._file = path.open("a", encoding="utf-8") if path is not None else None

    def write(self, record: Record) -> None:
        """Append one line and flush it, so that whoever saw the answer can read it."""
        if self._file is None:
            return
        record.first_ns = record.sends[0] if record.sends else None
        line = {name: getattr(record, name) for name in _NAMES}
        self._file.write(json.dumps(line, separators=(",", ":")) + "\n")
        self._file.flush()

    def close(self) -> None:
        if self._file is not None:
            self._file.close()


def read_truth(path: Path) -> list[Record]:
    """The records of a log, in the order in which the requests ended."""
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    return [Record(**json.loads(line)) for line in lines if line.endswith("\n")]
