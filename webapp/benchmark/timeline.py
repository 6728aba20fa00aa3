"""One request drawn in time: the wait for the first token, then every gap as a bar as wide as it
lasted and as high as it was long."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from engine.samples import Arrival, Sample
from engine.stats import Summary, pooled_itl

WIDTH, HEIGHT = 1_000, 96
# More bars than this could not be told apart; neighbours are drawn as the longest of them.
BARS_MAX = 1_000
# A gap this many times the median is a stall, and is drawn as one.
STALL = 3.0
LONGEST = 8


class Bar(NamedTuple):
    """A gap in the units of the picture."""

    x: float
    y: float
    width: float
    height: float
    stall: bool


class Gap(NamedTuple):
    """A gap in words: which event ended it (from 2), when that came, how long it took, and the
    tokens it carried (0 is unknown). Times in ms."""

    event: int
    at_ms: float
    gap_ms: float
    tokens: int


@dataclass(frozen=True, slots=True)
class Timeline:
    """`first_x` is where the first token stands; `gaps` describes all gaps, `longest` names
    the longest, longest first; `stalls` counts those of STALL medians or more."""

    events: int
    first_x: float
    last_ms: float
    bars: tuple[Bar, ...]
    gaps: Summary
    longest: tuple[Gap, ...]
    stalls: int


def timeline(sample: Sample) -> Timeline | None:
    """The picture of a request; None when no token arrived."""
    events = sample.arrivals
    if not events:
        return None
    summary = pooled_itl([events])
    gaps = _gaps(events)
    last_ms = max(events[-1].at_ns / 1e6, 1e-6)
    most = max(summary.max or 0.0, 1e-6)
    limit = STALL * summary.p50 if summary.p50 else float("inf")
    return Timeline(
        events=len(events),
        first_x=_round(WIDTH * events[0].at_ns / 1e6 / last_ms),
        last_ms=last_ms,
        bars=tuple(_bar(gap, last_ms, most, limit) for gap in _thinned(gaps)),
        gaps=summary,
        longest=tuple(sorted(gaps, key=lambda gap: -gap.gap_ms)[:LONGEST]),
        stalls=sum(gap.gap_ms >= limit for gap in gaps),
    )


def _gaps(events: Sequence[Arrival]) -> list[Gap]:
    found, before = [], events[0].at_ns
    for number, (at_ns, tokens) in enumerate(events[1:], 2):
        found.append(Gap(number, at_ns / 1e6, (at_ns - before) / 1e6, tokens))
        before = at_ns
    return found


def _thinned(gaps: Sequence[Gap]) -> list[Gap]:
    step = -(-len(gaps) // BARS_MAX) if gaps else 1
    return [
        max(gaps[start : start + step], key=lambda gap: gap.gap_ms)
        for start in range(0, len(gaps), step)
    ]


def _bar(gap: Gap, last_ms: float, most: float, limit: float) -> Bar:
    height = HEIGHT * gap.gap_ms / most
    start = WIDTH * (gap.at_ms - gap.gap_ms) / last_ms
    width = WIDTH * gap.gap_ms / last_ms
    return Bar(_round(start), _round(HEIGHT - height), _round(width), _round(height),
               gap.gap_ms >= limit)  # fmt: skip


def _round(value: float) -> float:
    return round(value, 2)
