"""Inter-token latency pooled over streams (measurement.md, section 2)."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

import numpy as np

from engine.samples import Arrival, Arrivals
from engine.stats.intervals import Floats, Interval, Ints, median_interval
from engine.stats.summary import Summary, summarise


def pooled_itl(streams: Iterable[Sequence[Arrival]]) -> Summary:
    """The gaps between successive token events of all streams, in milliseconds. Events of one
    read are one: between them no gap was seen, however the bytes were sent.

    `mean` is the time in all gaps divided by the tokens in them (an arrival whose tokens are
    unknown counts as one); percentiles and `std` count each gap once, whatever it carried;
    `n` is the number of gaps. `ci95` is the interval of the median: gaps of one stream share
    its fate, so with two or more streams it follows from how much the streams differ.
    """
    gaps, tokens = [], 0
    for stream in streams:
        if len(stream) < 2:
            continue
        times, counts = _columns(stream)
        apart = np.diff(times) > 0
        if not apart.any():
            continue
        gaps.append(np.diff(times)[apart] / 1e6)
        tokens += int(np.maximum(counts[1 + int(apart.argmax()) :], 1).sum())
    if not gaps:
        return Summary()
    pooled = np.sort(np.concatenate(gaps))
    ci95 = median_interval(pooled) if len(gaps) == 1 else _clustered(pooled, gaps)
    return summarise(pooled, ci95, mean=math.fsum(pooled) / tokens)


def _columns(stream: Sequence[Arrival]) -> tuple[Ints, Ints]:
    """Times in nanoseconds and token counts; without copying where they came from storage."""
    if isinstance(stream, Arrivals):
        return np.frombuffer(stream.times_ns, np.int64), np.frombuffer(stream.counts, np.uint32)
    both = np.array(stream, dtype=np.int64)
    return both[:, 0], both[:, 1]


def _clustered(pooled: Floats, streams: Sequence[Floats]) -> Interval:
    """Woodruff's interval: the share of gaps below the median varies between streams; its
    Student interval is read back through the pooled quantiles. Never narrower than
    independent gaps would give."""
    from scipy.special import stdtrit

    n, count = pooled.size, len(streams)
    middle = np.median(pooled)
    # Ties with the median count half on either side.
    excess = [float((np.sign(middle - s) / 2).sum()) for s in streams]
    variance = count / (count - 1) * math.fsum(e * e for e in excess) / n**2
    t = float(stdtrit(count - 1, 0.975))
    half = t * math.sqrt(max(variance, 0.25 / n))
    low, high = np.quantile(pooled, (max(0.5 - half, 0), min(0.5 + half, 1)))
    return float(low), float(high)
