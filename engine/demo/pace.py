"""When tokens come: the seeded model of first-token time, gaps and stalls."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Iterator
from random import Random

from engine.demo.catalog import Model

_MS = 1_000_000  # ns


def first_token_ns(model: Model, uncached_tokens: int, rng: Random) -> int:
    """From the start of service to the first token, waiting in the queue not included."""
    ms = model.first_token_ms + model.ms_per_1k_input * uncached_tokens / 1_000
    return round(ms * _factor(model.first_token_jitter, rng) * _MS)


def gaps_ns(model: Model, rng: Random) -> Iterator[int]:
    """The gaps before the second, third ... token, without end."""
    stall = model.stall
    while True:
        ms = model.gap_ms * _factor(model.gap_jitter, rng)
        if stall.chance and rng.random() < stall.chance:
            ms += stall.low_ms + rng.random() * (stall.high_ms - stall.low_ms)
        yield round(ms * _MS)


def mean_gap_ms(model: Model) -> float:
    """What the gaps come to in the long run."""
    return model.gap_ms + model.stall.chance * (model.stall.low_ms + model.stall.high_ms) / 2


def _factor(sigma: float, rng: Random) -> float:
    """Lognormal with mean 1, so that jitter changes the shape and not the speed."""
    return math.exp(sigma * rng.gauss(0.0, 1.0) - sigma * sigma / 2) if sigma else 1.0


class Slots:
    """A model's capacity: streams beyond it wait, first come, first served."""

    def __init__(self, capacity: int) -> None:
        self._free = capacity
        self._waiting: deque[Callable[[], None]] = deque()

    def take(self, start: Callable[[], None]) -> bool:
        """Call `start` now if there is room, and otherwise later; whether it was now."""
        if not self._free:
            self._waiting.append(start)
            return False
        self._free -= 1
        start()
        return True

    def leave(self, start: Callable[[], None]) -> None:
        """Give up waiting, or give the room back."""
        if start in self._waiting:
            self._waiting.remove(start)
        elif self._waiting:
            self._waiting.popleft()()
        else:
            self._free += 1
