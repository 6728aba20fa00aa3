"""The bench's own arithmetic, on readings and records whose difference is known."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.bench.accuracy import Reading, accuracy_of
from tests.bench.endpoints import Pace, Truth
from tests.bench.outcome import Check

MS = 1_000_000
PACE = Pace(first_ms=100.0, gap_ms=10.0)


def record(name: str, at_ms: float = 0.0, events: int = 5) -> Truth:
    start = int(at_ms * MS)
    sends = [start + int((100 + 10 * n) * MS) for n in range(events)]
    return Truth(name, start, start + MS, start, sends[-1], 2 * MS, events, sends)


def reading(truth: Truth, late_ms: float = 0.0, stretch: float = 1.0) -> Reading:
    """Reads the first event `late_ms` too late, and `stretch` times the gaps."""
    first = truth.sends[0] + int(late_ms * MS)
    times = [first + int(stretch * (sent - truth.sends[0])) for sent in truth.sends]
    return Reading(truth.id, truth.received_ns, times, [1] * len(times), truth.output)


def test_a_perfect_reading_has_no_error() -> None:
    truth = [record("a"), record("b", 50)]
    found = accuracy_of([reading(one) for one in truth], truth, PACE, 1)
    assert found.ttft_ms_p50 == found.ttft_ms_p99 == found.itl_pct_mean == 0
    assert (found.lost, found.invented, found.miscounted) == (0, 0, 0)
    assert found.noticed_ms_p50 == pytest.approx(1.0)
    assert found.late_ms_p99 == pytest.approx(2.0)


def test_readings_belong_to_the_records_of_their_nonce_whatever_their_order() -> None:
    truth = [record("a"), record("b", 3), record("c", 6)]
    found = accuracy_of([reading(one, late_ms=0.5) for one in reversed(truth)], truth, PACE, 1)
    assert found.ttft_ms_p50 == pytest.approx(0.5)
    assert found.ttft_ms_p99 == pytest.approx(0.5)


def test_gaps_that_are_read_longer_than_they_were_are_an_error_in_per_cent() -> None:
    truth = [record("a")]
    found = accuracy_of([reading(truth[0], stretch=1.05)], truth, PACE, 1)
    assert found.itl_pct_mean == pytest.approx(5.0)
    assert found.itl_pct_p50 == pytest.approx(5.0)


def test_lost_and_invented_events_do_not_cancel_out() -> None:
    truth = [record("a"), record("b", 50)]
    short, long = (reading(one) for one in truth)
    short = replace(short, arrivals_ns=short.arrivals_ns[:-1], tokens=[1] * 4, total=4)
    long = replace(long, arrivals_ns=[*long.arrivals_ns, long.arrivals_ns[-1]], tokens=[1] * 6)
    found = accuracy_of([short, long], truth, PACE, 1)
    assert (found.lost, found.invented, found.miscounted) == (1, 1, 1)


def test_a_record_that_nobody_read_is_an_error() -> None:
    truth = [record("a"), record("b", 50)]
    with pytest.raises(ValueError, match="1 readings for 2 records"):
        accuracy_of([reading(truth[0])], truth, PACE, 1)


def test_streams_without_a_pause_deliver_all_of_the_load() -> None:
    service_ms = PACE.service_s(5) * 1e3
    truth = [record(str(n), n * service_ms) for n in range(20)]
    found = accuracy_of([reading(one) for one in truth], truth, PACE, 1)
    assert found.delivered == pytest.approx(1.0)
    pauses = [record(str(n), 2 * n * service_ms) for n in range(20)]
    found = accuracy_of([reading(one) for one in pauses], pauses, PACE, 1)
    assert found.delivered == pytest.approx(0.5)


def test_a_limit_is_kept_from_its_own_side_and_a_missing_figure_keeps_none() -> None:
    assert Check("error", 0.5, 0.5).held
    assert not Check("error", 0.6, 0.5).held
    assert Check("load", 0.98, 0.97, at_least=True).held
    assert not Check("load", None, 0.97, at_least=True).held
    assert Check("error", 9.0, 0.5, excused="said to be saturated").held
