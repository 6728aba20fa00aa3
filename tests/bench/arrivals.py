"""Whether an open loop's requests reach the endpoint as planned: Poisson arrivals that know
nothing of each other, and a constant rate on its grid."""

from __future__ import annotations

import numpy as np
from scipy import stats

from engine.speed.levels import Arrivals
from tests.bench.endpoints import Pace, kinds, serving
from tests.bench.opened import open_loop
from tests.bench.outcome import Check, Outcome

_PACE = Pace(first_ms=20.0, gap_ms=5.0)
_RATE, _QUICK_RATE, _REQUESTS, _TOKENS = 100.0, 250.0, 1_000, 5


def run(quick: bool) -> Outcome:
    """1,000 requests of each kind; with fewer, chance would decide."""
    rate = _QUICK_RATE if quick else _RATE
    lag, p, mean = _poisson(rate)
    grid = _grid_ms(rate)
    return Outcome(
        {
            "requests": _REQUESTS,
            "rate": rate,
            "poisson": {"lag_1_correlation": lag, "ks_p": p, "mean_gap_ms": mean},
            "constant": {"grid_error_ms_p99": grid},
        },
        [
            Check("Poisson arrivals: |lag-1 correlation|", abs(lag), 0.08),
            Check("Poisson arrivals: Kolmogorov–Smirnov p", p, 0.01, at_least=True),
            Check("constant rate: grid error p99", grid, 2.0, " ms"),
        ],
        f"{_REQUESTS:,} arrivals at the endpoint, {rate:g} a second. Poisson: lag-1 correlation "
        f"{lag:+.3f}, Kolmogorov–Smirnov p {p:.2f}. Constant: p99 of the distance from the grid "
        f"{grid:.2f} ms.",
    )


def _poisson(rate: float) -> tuple[float, float, float]:
    gaps = np.diff(_received_s("poisson", rate))
    lag = float(np.corrcoef(gaps[:-1], gaps[1:])[0, 1])
    p = float(stats.kstest(gaps, "expon", args=(0, 1 / rate)).pvalue)
    return lag, p, float(np.mean(gaps) * 1e3)


def _grid_ms(rate: float) -> float:
    offsets = _received_s("constant", rate) - np.arange(_REQUESTS) / rate
    return float(np.percentile(np.abs(offsets - np.median(offsets)), 99) * 1e3)


def _received_s(arrivals: Arrivals, rate: float) -> np.ndarray:
    """When the endpoint had the requests, in order, seconds."""
    with serving(kinds()[0], _PACE) as endpoint:
        pairs, _ = open_loop(endpoint, arrivals, rate, _REQUESTS, _TOKENS)
    received = np.array([pair.truth.received_ns for pair in pairs])
    return np.asarray(np.sort(received) / 1e9)
