"""Generator processes: what they are told, what they report, and how they end."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from engine.cancel import CancelToken
from engine.speed.load.pool import GeneratorDied, GeneratorPool
from engine.speed.load.work import Report, Share, Stream, nonce_of
from tests.bench.endpoints import Served
from tests.engine.speed.load.shares import request_to, share_of
from tests.helpers import eventually

LONG = 2_000  # tokens; four seconds at the quick endpoint's pace


@pytest.fixture(scope="module")
def pool() -> Iterator[GeneratorPool]:
    with GeneratorPool(2) as pool:
        yield pool


def ran(
    pool: GeneratorPool, shares: Sequence[Share], cancel: CancelToken | None = None
) -> tuple[list[Stream], list[Report]]:
    messages = list(pool.run(shares, cancel or CancelToken()))
    streams = [message for message in messages if isinstance(message, Stream)]
    reports = [message for message in messages if isinstance(message, Report)]
    return streams, reports


def children_of(pid: int) -> list[int]:
    text = Path(f"/proc/{pid}/task/{pid}/children").read_text()
    return [int(word) for word in text.split()]


def gone(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except FileNotFoundError:
        return True


def test_two_processes_share_the_numbers_and_start_together(
    pool: GeneratorPool, quick_endpoint: Served
) -> None:
    whole = [share_of(quick_endpoint.base_url, 8, 40, seed=9) for _ in range(2)]
    shares = [
        share_of(quick_endpoint.base_url, 4, seed=9, numbers=range(part, 40, 2))
        for part in range(len(whole))
    ]
    streams, reports = ran(pool, shares)
    assert sorted(stream.number for stream in streams) == list(range(40))
    assert len(reports) == 2
    assert all(report.cpu_s >= report.decode_s > 0 for report in reports)
    begins = [min(s.planned_ns for s in streams if s.number % 2 == part) for part in range(2)]
    assert begins[0] == begins[1]
    truth = {record.id for record in quick_endpoint.truth()}
    assert {nonce_of(9, number).decode() for number in range(40)} <= truth


def test_processes_live_through_level_after_level(
    pool: GeneratorPool, quick_endpoint: Served
) -> None:
    for streams in (1, 3):
        found, _ = ran(pool, [share_of(quick_endpoint.base_url, streams, 6)])
        assert [stream.sample.outcome for stream in found] == ["ok"] * 6


def test_a_cancel_ends_what_is_open_and_keeps_what_was_read(
    pool: GeneratorPool, quick_endpoint: Served
) -> None:
    cancel = CancelToken()
    url = quick_endpoint.base_url
    bodies = [request_to(url, tokens).wire_bytes() for tokens in (5, LONG, LONG, LONG)]
    outcomes = {}
    for message in pool.run([share_of(url, 4, 400, bodies=tuple(bodies))], cancel):
        if isinstance(message, Stream):
            outcomes[message.number] = message.sample.outcome
        cancel.cancel()  # on the first answer; the three long ones are open by then
    assert outcomes[0] == "ok"
    assert [outcomes[number] for number in (1, 2, 3)] == ["incomplete"] * 3
    assert len(outcomes) < 400
    again, _ = ran(pool, [share_of(quick_endpoint.base_url, 1, 1)])
    assert again[0].sample.ok


def test_a_cancel_before_the_start_sends_nothing(
    pool: GeneratorPool, quick_endpoint: Served
) -> None:
    cancel = CancelToken()
    cancel.cancel()
    quick_endpoint.truth()
    streams, reports = ran(pool, [share_of(quick_endpoint.base_url, 2, 8)], cancel)
    assert streams == []
    assert len(reports) == 1
    assert quick_endpoint.truth() == []


def test_a_killed_process_is_an_error_that_names_its_end(quick_endpoint: Served) -> None:
    with GeneratorPool(1) as pool:
        messages = pool.run([share_of(quick_endpoint.base_url, 1, 50)], CancelToken())
        next(messages)
        os.kill(pool.pids[0], signal.SIGKILL)
        with pytest.raises(GeneratorDied, match="ended with code -9"):
            list(messages)
        with pytest.raises(GeneratorDied, match="ended with code -9"):
            list(pool.run([share_of(quick_endpoint.base_url, 1, 1)], CancelToken()))


def test_children_end_with_a_parent_that_is_killed(quick_endpoint: Served) -> None:
    program = textwrap.dedent(
        """
        import sys
        from engine.cancel import CancelToken
        from engine.speed.load.pool import GeneratorPool
        from tests.engine.speed.load.shares import request_to, share_of
        with GeneratorPool(1) as pool:
            share = share_of(sys.argv[1], 2, numbers=range(2), max_tokens=6)
            for message in pool.run([share], CancelToken()):
                print("answered", flush=True)
            long = share_of(sys.argv[1], 1, numbers=range(1), max_tokens=100_000)
            list(pool.run([long], CancelToken()))
        """
    )
    with subprocess.Popen(
        [sys.executable, "-c", program, quick_endpoint.base_url], stdout=subprocess.PIPE, text=True
    ) as parent:
        assert parent.stdout is not None
        assert parent.stdout.readline() == "answered\n"
        (child,) = children_of(parent.pid)
        parent.kill()
    assert eventually(lambda: gone(child), what="the end of the generator process")
