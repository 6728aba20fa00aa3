"""The part of a load level that shows what an endpoint gives: all streams open, none draining.

A level begins with streams that start one by one and ends with streams that finish one by one.
Over the whole level four rounds of a closed loop would seem to give a fifth less than they do,
and the next level, which is twice as long, a tenth less: the curve would bend too late.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from statistics import median
from typing import NamedTuple

from engine.samples import Sample


class Window(NamedTuple):
    """From when to when, in seconds of `Sample.started_at`."""

    start_s: float
    end_s: float

    @property
    def seconds(self) -> float:
        return self.end_s - self.start_s


def steady(samples: Sequence[Sample], streams: int | None) -> Window | None:
    """While a level ran at its full strength: a closed loop of `streams` from the moment when
    all of them had started, a rate (`streams` None) once the first answers had come; both until
    the last request was sent. None where that is shorter than one answer takes."""
    sent = sorted(sample.started_at for sample in samples if sample.total_ms is not None)
    lasting = [sample.total_ms / 1e3 for sample in samples if sample.ok and sample.total_ms]
    if not lasting or len(sent) <= (streams or 0):
        return None
    one = median(lasting)
    start = sent[streams - 1] if streams else sent[0] + one
    return Window(start, sent[-1]) if sent[-1] - start >= one else None


def tokens_within(samples: Iterable[Sample], window: Window) -> float:
    """Output tokens that arrived in the window, each answer's spread evenly from its first to
    its last one."""
    return sum(
        (sample.tokens.output or 0) * _share(sample, window) for sample in samples if sample.ok
    )


def answers_within(samples: Iterable[Sample], window: Window) -> float:
    """How many answers were given in the window; one that began before or ended after it counts
    in part, by its tokens. (Whole ones end in bunches, whose last would fall in or out.)"""
    return sum(_share(sample, window) for sample in samples if sample.ok)


def _share(sample: Sample, window: Window) -> float:
    if sample.ttft_ms is None or sample.e2e_ms is None:
        return 0.0
    first, last = (sample.started_at + ms / 1e3 for ms in (sample.ttft_ms, sample.e2e_ms))
    if first >= last:
        return float(window.start_s < last <= window.end_s)
    inside = min(last, window.end_s) - max(first, window.start_s)
    return max(0.0, inside) / (last - first)
