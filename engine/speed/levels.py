"""The levels of a load benchmark: pure data, for plan, form and report alike."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from engine.specs import LoadSpec

# What a level takes when the spec names neither a number of requests nor a duration.
_LEAST_REQUESTS, _ROUNDS, _OPEN_S = 32, 4, 10.0

# A further level that adds less throughput than this is past saturation.
SATURATION_GAIN = 0.05

Arrivals = Literal["closed", "constant", "poisson"]


@dataclass(frozen=True, slots=True)
class Level:
    """One point of a load run: `value` streams at once (closed) or requests a second.

    `requests` and `duration_s` end it, whichever is first; `ramp_s` spreads the start of a
    closed loop.
    """

    arrivals: Arrivals
    value: float
    requests: int | None
    duration_s: float | None = None
    ramp_s: float = 0.0

    @property
    def label(self) -> str:
        """Short and stable: c64 for 64 streams, r12.5 for 12.5 requests a second."""
        return f"{'c' if self.arrivals == 'closed' else 'r'}{self.value:g}"

    @property
    def concurrency(self) -> int | None:
        return int(self.value) if self.arrivals == "closed" else None

    @property
    def rate(self) -> float | None:
        return None if self.arrivals == "closed" else self.value


def levels_of(load: LoadSpec) -> list[Level]:
    """The levels of a spec. Without a number of requests or a duration a closed level takes
    four rounds of its streams, an open one ten seconds; at least 32 requests."""
    return [
        Level(
            load.arrivals,
            int(value) if load.arrivals == "closed" else value,
            load.requests or (None if load.duration_s else _requests(load, value)),
            load.duration_s,
            load.ramp_s,
        )
        for value in sorted(set(load.levels))
    ]


def _requests(load: LoadSpec, value: float) -> int:
    rounds = _ROUNDS if load.arrivals == "closed" else _OPEN_S
    return max(_LEAST_REQUESTS, int(rounds * value))
