"""What stops an import, and what comes in and goes out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from engine.tools.suites import Suite

Place = Sequence[str | int]


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
    """`notes` are sentences for who imports: what was mapped, and what is missing. `place`
    tells the line and the file that a path of the suite came from."""

    suite: Suite
    format: str
    notes: tuple[str, ...] = ()
    place: Callable[[Place], tuple[int | None, str]] = field(
        default=lambda _place: (None, ""), compare=False, repr=False
    )


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A case that a format cannot say, or not whole, and why."""

    case: str
    reason: str


@dataclass(frozen=True, slots=True)
class Exported:
    """`files` maps a name to its text, in the order they are read back."""

    files: dict[str, str]
    left_out: tuple[LeftOut, ...] = ()
