"""What stops an import, and what comes in and goes out."""

from __future__ import annotations

from dataclasses import dataclass

from engine.tools.suites import Suite


class ImportProblem(Exception):
    """An import stops here and nothing of it is kept. `reason` is one sentence; `line` counts
    from 1, None where no line is to blame; `file` is the name it was given under."""

    def __init__(self, line: int | None, reason: str, file: str = "") -> None:
        self.line, self.reason, self.file = line, reason, file
        super().__init__(str(self))

    def __str__(self) -> str:
        line = "" if self.line is None else f"line {self.line}"
        where = f"{self.file}, {line}" if self.file and line else self.file or line.capitalize()
        return f"{where}: {self.reason}" if where else self.reason


@dataclass(frozen=True, slots=True)
class Source:
    """A file as it was given: its name (without folders) and its bytes."""

    name: str
    data: bytes


@dataclass(frozen=True, slots=True)
class Imported:
    """`notes` are sentences for who imports: what was mapped, and what is missing."""

    suite: Suite
    format: str
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A case that a format cannot say, and why."""

    case: str
    reason: str


@dataclass(frozen=True, slots=True)
class Exported:
    """`files` maps a name to its text, in the order they are read back."""

    files: dict[str, str]
    left_out: tuple[LeftOut, ...] = ()
