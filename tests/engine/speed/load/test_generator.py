"""One share, run against an endpoint that keeps the truth."""

from __future__ import annotations

import socket
from collections.abc import Callable
from itertools import pairwise

import pytest

from engine.samples import unpack_arrivals
from engine.speed.load.work import NONCE, Stream, nonce_of
from tests.bench.endpoints import Served, Truth
from tests.engine.llm.scripted_server import ScriptedServer
from tests.engine.llm.streams import ANSWER, chunked, head, sse
from tests.engine.speed.load.shares import run_here, share_of

SEED = 41
CUT = head() + chunked(sse(*ANSWER[:3]))[:-5]
WHOLE = head() + chunked(sse(*ANSWER, "[DONE]"))


def truth_of(endpoint: Served, streams: list[Stream], seed: int = SEED) -> list[Truth]:
    """The endpoint's records in the order of the streams; the nonce tells which is whose."""
    records = {record.id: record for record in endpoint.truth()}
    return [records[nonce_of(seed, stream.number).decode()] for stream in streams]


def most_at_once(records: list[Truth]) -> int:
    """How many streams the endpoint had open at the same time."""
    moves = [(r.received_ns, 1) for r in records] + [(r.end_ns, -1) for r in records]
    count = most = 0
    for _, step in sorted(moves):
        count += step
        most = max(most, count)
    return most


def test_a_closed_loop_keeps_its_streams_open_and_sends_every_number_once(
    quick_endpoint: Served,
) -> None:
    streams, report = run_here(share_of(quick_endpoint.base_url, 8, 40, seed=SEED))
    assert sorted(stream.number for stream in streams) == list(range(40))
    assert most_at_once(truth_of(quick_endpoint, streams)) == 8
    assert report.unsent == 0
    assert len(report.lag_ns) == 40


def test_no_token_is_lost_or_invented_while_many_streams_are_open(quick_endpoint: Served) -> None:
    share = share_of(quick_endpoint.base_url, 64, 192, seed=SEED, max_tokens=40)
    streams, _ = run_here(share)
    for stream, record in zip(streams, truth_of(quick_endpoint, streams), strict=True):
        assert stream.sample.outcome == "ok"
        assert stream.sample.tokens.output == record.output == 40
        arrivals = unpack_arrivals(stream.arrivals)
        assert [arrival.tokens for arrival in arrivals] == [1] * 40
        assert all(one.at_ns <= two.at_ns for one, two in pairwise(arrivals))


def test_times_are_those_of_the_wire(quick_endpoint: Served) -> None:
    """Bounds that hold on any machine: nothing is seen before it was sent, and a request is
    sent before the endpoint has it."""
    streams, _ = run_here(share_of(quick_endpoint.base_url, 4, 8, seed=SEED))
    slack = 200_000  # the kernel's clock is moved to the monotonic one by one offset
    for stream, record in zip(streams, truth_of(quick_endpoint, streams), strict=True):
        sample = stream.sample
        # "read" when the wall clock was set meanwhile; no time is earlier for it.
        assert sample.clock in ("kernel", "read")
        assert sample.start_ns <= record.received_ns + slack
        assert stream.planned_ns <= sample.start_ns
        seen = [sample.start_ns + arrival.at_ns for arrival in unpack_arrivals(stream.arrivals)]
        assert all(at >= sent - slack for at, sent in zip(seen, record.sends, strict=True))
        assert stream.closed_ns >= record.end_ns


def test_an_open_loop_sends_by_its_plan_and_never_before(quick_endpoint: Served) -> None:
    due = [0, 5, 5, 30, 60]
    streams, report = run_here(share_of(quick_endpoint.base_url, 5, due_ms=due, seed=SEED))
    planned = {stream.number: stream.planned_ns for stream in streams}
    begin = planned[0]
    assert [(planned[n] - begin) / 1e6 for n in range(5)] == due
    assert all(stream.sample.start_ns >= stream.planned_ns for stream in streams)
    assert report.unsent == 0


def test_an_open_loop_opens_more_connections_than_it_began_with(quick_endpoint: Served) -> None:
    share = share_of(
        quick_endpoint.base_url, 1, due_ms=[0] * 12, seed=SEED, most_streams=12, max_tokens=100
    )
    streams, _ = run_here(share)
    assert most_at_once(truth_of(quick_endpoint, streams)) == 12


def test_requests_beyond_the_most_streams_wait_and_the_wait_is_told(
    quick_endpoint: Served,
) -> None:
    share = share_of(quick_endpoint.base_url, 2, due_ms=[0] * 4, seed=SEED, max_tokens=100)
    streams, _ = run_here(share)
    waits = sorted(stream.sample.start_ns - stream.planned_ns for stream in streams)
    assert most_at_once(truth_of(quick_endpoint, streams)) == 2
    assert waits[2] >= 200_000_000  # two answers of 208 ms come first


def test_waiting_for_a_connection_costs_no_processor_time(quick_endpoint: Served) -> None:
    share = share_of(quick_endpoint.base_url, 1, due_ms=[0] * 2, seed=SEED, max_tokens=150)
    _, report = run_here(share)
    assert report.wall_s >= 0.6
    assert report.cpu_s < report.wall_s / 10


def test_starts_spread_over_a_ramp_leave_no_stream_idle(quick_endpoint: Served) -> None:
    """What ended sends its next request at once, not after the last start of the ramp."""
    share = share_of(quick_endpoint.base_url, 2, 9, seed=SEED, max_tokens=5)
    share.starts_ns[1] = 400_000_000
    streams, _ = run_here(share)
    planned = {stream.number: stream.planned_ns for stream in streams}
    last_start = planned.pop(1)
    assert len([at for at in planned.values() if at < last_start]) > 1


def test_a_duration_ends_the_sending_and_no_stream(quick_endpoint: Served) -> None:
    share = share_of(quick_endpoint.base_url, 2, 10_000, seed=SEED, duration_s=0.15, max_tokens=25)
    streams, report = run_here(share)
    begin = min(stream.planned_ns for stream in streams)
    assert all(stream.sample.ok for stream in streams)
    assert max(stream.planned_ns for stream in streams) < begin + 150_000_000
    assert 2 <= len(streams) == 10_000 - report.unsent


def test_every_request_carries_a_nonce_of_its_own(
    scripted: Callable[..., ScriptedServer],
) -> None:
    server = scripted([WHOLE])
    streams, _ = run_here(share_of(server.base_url, 2, 6, seed=SEED))
    assert {stream.sample.outcome for stream in streams} == {"ok"}
    bodies = b"".join(server.requests)
    assert all(bodies.count(nonce_of(SEED, number)) == 1 for number in range(6))
    assert NONCE.encode() not in bodies


def test_another_seed_gives_other_nonces() -> None:
    assert nonce_of(1, 0) != nonce_of(2, 0)
    assert len({nonce_of(1, number) for number in range(10_000)}) == 10_000


def test_a_refused_connection_fails_every_request_with_the_reason() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    streams, report = run_here(share_of(f"http://127.0.0.1:{port}/v1", 2, 5))
    assert [stream.sample.error for stream in streams] == ["connect"] * 5
    assert "Connection refused" in str(streams[0].sample.message)
    assert report.unsent == 0


def test_a_host_that_does_not_exist_fails_every_request_with_the_reason() -> None:
    streams, _ = run_here(share_of("http://no-such-host.invalid/v1", 1, 2))
    assert [stream.sample.error for stream in streams] == ["connect"] * 2
    assert "no-such-host.invalid" in str(streams[0].sample.message)


def test_a_silent_server_is_left_at_the_time_limit(
    scripted: Callable[..., ScriptedServer],
) -> None:
    server = scripted([30.0])
    streams, _ = run_here(share_of(server.base_url, 1, 1, timeout_s=0.2))
    assert [(s.sample.outcome, s.sample.error) for s in streams] == [("failed", "timeout")]


def test_the_time_limit_holds_while_other_streams_keep_the_loop_busy(
    scripted: Callable[..., ScriptedServer],
) -> None:
    busy = [head(), *([b"1\r\n:\r\n", 0.002] * 2_000)]
    server = scripted(busy)
    streams, _ = run_here(share_of(server.base_url, 1, 1, timeout_s=0.2))
    assert streams[0].sample.error == "timeout"
    assert streams[0].sample.total_ms is not None
    assert 200 <= streams[0].sample.total_ms < 2_000


@pytest.mark.parametrize("end", ["reset", "close"])
def test_a_stream_that_breaks_off_is_incomplete_and_its_connection_is_replaced(
    scripted: Callable[..., ScriptedServer], end: str
) -> None:
    server = scripted([CUT, 0.05, end], [WHOLE])
    streams, _ = run_here(share_of(server.base_url, 1, 2))
    assert [stream.sample.outcome for stream in streams] == ["incomplete", "ok"]
    assert streams[0].sample.error == "stream_broken"
    assert len(unpack_arrivals(streams[0].arrivals)) > 0


def test_a_server_that_closes_after_each_answer_is_asked_on_new_connections(
    scripted: Callable[..., ScriptedServer],
) -> None:
    closing = head("connection: close") + chunked(sse(*ANSWER, "[DONE]"))
    server = scripted([closing, "close"])
    streams, _ = run_here(share_of(server.base_url, 1, 3))
    assert [stream.sample.outcome for stream in streams] == ["ok"] * 3
    assert all(stream.sample.connect_ms is not None for stream in streams)


def test_a_request_that_met_a_closing_connection_goes_out_again_on_a_new_one(
    scripted: Callable[..., ScriptedServer],
) -> None:
    server = scripted([WHOLE], ["close"], [WHOLE])
    streams, report = run_here(share_of(server.base_url, 1, 3))
    assert [stream.sample.outcome for stream in streams] == ["ok", "ok", "ok"]
    assert [stream.sample.connect_ms is None for stream in streams] == [False, False, True]
    assert (len(server.requests), report.unsent, len(report.lag_ns)) == (4, 0, 3)
