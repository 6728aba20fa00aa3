"""When requests are sent: planned before the start, never in reaction to answers.

An open loop follows one seeded schedule, dealt out to the processes by index. (Schedules
that every process draws for itself from the same seed send bursts.)
"""

from __future__ import annotations

from array import array
from typing import Literal

import numpy as np

Arrivals = Literal["constant", "poisson"]


def open_schedule(
    arrivals: Arrivals,
    rate: float,
    *,
    requests: int | None = None,
    duration_s: float | None = None,
    seed: int = 1,
) -> array[int]:
    """Send times of an open loop, nanoseconds after the start, ascending.

    `rate` is requests per second. Ends with `requests` or before `duration_s`, whichever is
    first; at least one of them must be given (ValueError). Poisson gaps are exponential.
    """
    if requests is None and duration_s is None:
        raise ValueError("an open loop needs a number of requests or a duration")
    count = requests if requests is not None else _enough(rate, duration_s or 0.0)
    if arrivals == "constant":
        times = np.arange(count) / rate
    else:
        times = np.cumsum(np.random.default_rng(seed).exponential(1.0 / rate, count))
    if duration_s is not None:
        times = times[times < duration_s]
    return array("q", (times * 1e9).astype(np.int64).tolist())


def _enough(rate: float, duration_s: float) -> int:
    """A count that a Poisson process of this rate reaches in time with certainty."""
    mean = rate * duration_s
    return int(mean + 8 * mean**0.5 + 16)


def staggered(slots: int, service_s: float, ramp_s: float = 0.0) -> array[int]:
    """First send times of a closed loop's slots, nanoseconds after the start.

    The slots are spread over one service time, as they would be had the loop run for long,
    so that they do not answer in step; over `ramp_s` when that is longer.
    """
    span = max(service_s, ramp_s)
    return array("q", (int(1e9 * span * slot / slots) for slot in range(slots)))
