"""Where more load stops paying: the knee of a sweep."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from engine.report.result import Result
from engine.speed.levels import SATURATION_GAIN


@dataclass(frozen=True, slots=True)
class Sweep:
    """The measured load levels of one target at one context size, lowest first.

    `knee` is the lowest level that no higher one beats by 5 % of throughput or more: what
    comes after it buys latency and nothing else. None when the highest level is still that
    one, because then the limit may lie higher, and when there is but one level.
    """

    levels: tuple[Result, ...]

    @property
    def first(self) -> Result:
        return self.levels[0]

    @property
    def best(self) -> Result:
        """The knee, else the level with the most throughput."""
        return self.knee or max(self.levels, key=throughput)

    @property
    def knee(self) -> Result | None:
        most = max(map(throughput, self.levels))
        found = next(r for r in self.levels if throughput(r) * (1 + SATURATION_GAIN) > most)
        return None if found is self.levels[-1] else found


def sweeps(results: Iterable[Result]) -> list[Sweep]:
    """The answered levels by target and context size, in the order of the results; nothing
    for sequential results."""
    found: dict[tuple[str, str, int], list[Result]] = {}
    for result in results:
        if result.level and result.system_output_tps and result.ttft_ms.n:
            where = (result.provider, result.model, result.context_tokens)
            found.setdefault(where, []).append(result)
    return [Sweep(tuple(sorted(levels, key=pressure))) for levels in found.values()]


def pressure(result: Result) -> float:
    """Streams at once or requests a second."""
    return result.rate or float(result.concurrency or 0)


def throughput(result: Result) -> float:
    """Output tokens a second of the whole endpoint."""
    return result.system_output_tps or 0.0


def widest(results: Sequence[Sweep]) -> list[Sweep]:
    """Sweeps by the throughput of their best level, highest first."""
    return sorted(results, key=lambda sweep: -throughput(sweep.best))
