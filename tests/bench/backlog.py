"""A rate that the endpoint cannot serve: the time in its queue belongs to the latency from the
planned moment on, and the run has to say that there was a backlog."""

from __future__ import annotations

import numpy as np

from tests.bench.endpoints import Pace, kinds, serving
from tests.bench.opened import open_loop
from tests.bench.outcome import Check, Outcome

# 20 places of 0.2 s serve 100 requests a second; 150 are sent.
_PACE = Pace(first_ms=100.0, gap_ms=10.0, capacity=20)
_RATE, _TOKENS = 150.0, 11


def run(quick: bool) -> Outcome:
    """Scheduled latency against the truth, and the marks of the level."""
    requests = 300 if quick else 900
    with serving(kinds()[0], _PACE) as endpoint:
        pairs, client = open_loop(endpoint, "constant", _RATE, requests, _TOKENS)
    seen = [pair.sample.scheduled_e2e_ms or 0.0 for pair in pairs]
    # The plan as the endpoint knows it: an even grid through the first requests it had.
    grid = [pair.truth.received_ns - 1e9 * pair.number / _RATE for pair in pairs]
    start = float(np.median(grid[:20]))
    true = [(pair.truth.sends[-1] - start - 1e9 * pair.number / _RATE) / 1e6 for pair in pairs]
    p99, truth = float(np.percentile(seen, 99)), float(np.percentile(true, 99))
    error = 100.0 * abs(p99 / truth - 1.0)
    marks = ", ".join(client.marks) or "none"
    return Outcome(
        {"scheduled_e2e_ms_p99": p99, "truth_ms_p99": truth, "marks": list(client.marks)},
        [
            Check("backlog: scheduled latency p99 off the truth", error, 2.0, " %"),
            Check("backlog: marks of the run", len(client.marks), 1, at_least=True),
        ],
        f"A rate of {_RATE:g} at an endpoint that serves 100 a second: scheduled latency p99 "
        f"{p99:,.0f} ms, truth {truth:,.0f} ms; the run is marked: {marks}.",
    )
