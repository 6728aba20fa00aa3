"""The timed step against a server whose bytes and pauses are known."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest

from engine.llm import exchange as exchange_module
from engine.llm import tls, wire
from engine.llm.ask import Asked
from engine.llm.decode import decode
from engine.llm.errors import ProviderError
from engine.llm.exchange import Capture
from engine.llm.request import Endpoint, PreparedRequest
from engine.llm.wire import Connection
from engine.samples import SampleKey
from engine.speed.metrics import measure
from tests.engine.llm.conftest import WHOLE
from tests.engine.llm.scripted_server import ScriptedServer
from tests.engine.llm.streams import ANSWER, chunked, delta, head, sse
from tests.engine.llm.tls_server import TlsServer

Scripted = Callable[..., ScriptedServer]
ANSWERED = [head() + chunked(sse(*ANSWER))]


def request_for(server: ScriptedServer, body: bytes = b"{}") -> PreparedRequest:
    return PreparedRequest("POST", f"{server.base_url}/chat/completions", (), body)


def sse_chunk(chunk: dict[str, Any]) -> bytes:
    """One event as a chunk of a body that goes on."""
    return chunked(sse(chunk)).removesuffix(b"0\r\n\r\n")


def asked_of(capture: Capture) -> Asked:
    try:
        decoded = decode(capture, "openai/m", ())
    except ProviderError as error:
        return Asked(capture=capture, error=error)
    return Asked(capture=capture, decoded=decoded, error=decoded.error)


def exchange(server: ScriptedServer, body: bytes = b"{}", timeout_s: float = 5) -> Capture:
    async def go() -> Capture:
        request = request_for(server, body)
        connection = await Connection.open(request.endpoint, allow_private=True)
        capture = await connection.exchange(request.wire_bytes(), timeout_s)
        connection.close()
        return capture

    return asyncio.run(go())


def test_arrival_times_are_those_of_the_bytes_on_the_wire(scripted: Scripted) -> None:
    piece = sse(delta("x"))
    framed = b"%x\r\n%s\r\n" % (len(piece), piece)
    server = scripted([head(), 0.03, framed, 0.02, framed, 0.02, framed + b"0\r\n\r\n"])
    capture = exchange(server)
    assert capture.ended == "complete"
    late_ms = [(got - sent) / 1e6 for got, sent in zip(capture.times, server.sent_ns, strict=True)]
    assert sorted(late_ms)[len(late_ms) // 2] < 5
    assert min(late_ms) > -0.5


def test_the_kernel_tells_the_time_where_it_can(scripted: Scripted) -> None:
    server = scripted(ANSWERED)
    # Stamping is switched on in the background, so the very first packets may lack it.
    assert "kernel" in [exchange(server).clock for _ in range(20)]


def test_a_stepped_wall_clock_falls_back_to_read_times(
    scripted: Scripted, monkeypatch: pytest.MonkeyPatch
) -> None:
    readings = iter([0, 10_000_000_000])
    monkeypatch.setattr(exchange_module, "clock_offset_ns", lambda: next(readings))
    capture = exchange(scripted(ANSWERED))
    assert capture.clock == "read"
    assert capture.sent_ns < capture.times[0] <= capture.ended_ns


def test_without_kernel_time_the_read_is_the_clock(
    scripted: Scripted, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wire, "enable_kernel_time", lambda sock: False)
    capture = exchange(scripted(ANSWERED))
    assert capture.clock == "read"
    assert capture.times[0] > capture.sent_ns


def test_a_large_request_is_sent_whole_and_timed_from_its_last_byte(scripted: Scripted) -> None:
    server = scripted(ANSWERED)
    body = b"x" * 3_000_000
    capture = exchange(server, body)
    assert server.requests[0].endswith(body)
    assert capture.sent_ns <= capture.times[0]


def test_a_connection_carries_several_exchanges_and_reports_connect_time_once(
    scripted: Scripted,
) -> None:
    server = scripted(ANSWERED)

    async def go() -> tuple[Capture, Capture, bool]:
        request = request_for(server)
        connection = await Connection.open(request.endpoint, allow_private=True)
        first = await connection.exchange(request.wire_bytes(), 5)
        alive = connection.alive
        second = await connection.exchange(request.wire_bytes(), 5)
        connection.close()
        return first, second, alive

    first, second, alive = asyncio.run(go())
    assert alive
    assert first.connect_ms is not None
    assert second.connect_ms is None
    assert second.ended == "complete"


@pytest.mark.parametrize(("step", "ended"), [("close", "eof"), ("reset", "reset")])
def test_a_stream_that_breaks_keeps_what_came(scripted: Scripted, step: str, ended: str) -> None:
    capture = exchange(scripted([head() + b"5\r\nab", 0.05, step]))
    assert capture.ended == ended
    assert b"".join(capture.chunks).endswith(b"ab")


def test_a_server_that_never_answers_times_out(scripted: Scripted) -> None:
    started = time.monotonic()
    capture = exchange(scripted([5.0]), timeout_s=0.2)
    assert capture.ended == "timeout"
    assert time.monotonic() - started < 2


def test_an_exchange_can_be_aborted_in_the_middle(scripted: Scripted) -> None:
    server = scripted([head() + b"5\r\nab", 5.0])

    async def go() -> Capture:
        request = request_for(server)
        connection = await Connection.open(request.endpoint, allow_private=True)
        running = asyncio.create_task(connection.exchange(request.wire_bytes(), 30))
        while not server.requests:  # noqa: ASYNC110 - the server is a thread
            await asyncio.sleep(0.005)
        await asyncio.sleep(0.02)
        connection.abort()
        return await running

    assert asyncio.run(go()).ended == "cancelled"


def test_nothing_listening_is_one_clear_sentence() -> None:
    async def go() -> None:
        await Connection.open(Endpoint("127.0.0.1", 1, False), allow_private=True)

    with pytest.raises(ProviderError, match=r"Nothing answers at 127\.0\.0\.1:1") as caught:
        asyncio.run(go())
    assert caught.value.kind == "connect"


def test_a_private_address_is_refused_where_it_is_not_allowed() -> None:
    async def go() -> None:
        await Connection.open(Endpoint("localhost", 1, False), allow_private=False)

    with pytest.raises(ProviderError, match="ALLOW_PRIVATE_ENDPOINTS"):
        asyncio.run(go())


def secured(server: TlsServer) -> Capture:
    async def go() -> Capture:
        request = PreparedRequest("POST", f"{server.base_url}/chat/completions", (), b"{}")
        connection = await Connection.open(request.endpoint, allow_private=True)
        capture = await connection.exchange(request.wire_bytes(), 5)
        connection.close()
        return capture

    return asyncio.run(go())


@pytest.mark.usefixtures("trusted")
def test_tls_takes_the_same_path_with_its_own_figure(tls_server: TlsServer) -> None:
    capture = secured(tls_server)
    assert capture.ended == "complete"
    assert capture.clock in ("kernel", "read")
    assert capture.tls_ms is not None
    assert capture.connect_ms is not None
    assert b"".join(capture.chunks) == WHOLE


def test_an_unknown_certificate_is_refused(tls_server: TlsServer) -> None:
    tls.tls_context.cache_clear()
    with pytest.raises(ProviderError, match="TLS with localhost failed"):
        secured(tls_server)


@pytest.mark.skipif(not socket.has_ipv6, reason="this machine has no IPv6")
def test_an_ipv6_address_is_asked_like_any_other(scripted: Scripted) -> None:
    server = scripted(ANSWERED, host="::1")
    capture = exchange(server)
    assert capture.ended == "complete"
    assert b"\r\nhost: [::1]:%d\r\n" % server.port in server.requests[0]


def test_the_next_address_of_a_name_is_tried_when_one_does_not_answer(
    scripted: Scripted, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = scripted(ANSWERED)
    dead, alive = ("127.0.0.1", 1), ("127.0.0.1", server.port)
    both = [(socket.AF_INET, dead), (socket.AF_INET, alive)]
    monkeypatch.setattr(wire, "connect_addresses", lambda *_: both)
    assert exchange(server).ended == "complete"


def opened(endpoint: Endpoint, timeout_s: float = 0.15) -> ProviderError:
    """The error of a connection that cannot be had."""

    async def go() -> None:
        await Connection.open(endpoint, allow_private=True, timeout_s=timeout_s)

    with pytest.raises(ProviderError) as caught:
        asyncio.run(go())
    return caught.value


def test_a_name_that_takes_too_long_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    answered = threading.Event()
    monkeypatch.setattr(wire, "connect_addresses", lambda *_: answered.wait(0.3))
    error = opened(Endpoint("slow.example", 443, True))
    assert (error.kind, error.message) == (
        "timeout",
        "The name slow.example was not resolved within 0.15 s.",
    )


def test_an_address_that_swallows_connections_says_so(full_house: int) -> None:
    error = opened(Endpoint("127.0.0.1", full_house, False))
    assert error.kind == "timeout"
    assert error.message == f"No connection to 127.0.0.1:{full_house} was made within 0.15 s."


def test_a_tls_handshake_without_an_answer_says_so(silent: int) -> None:
    error = opened(Endpoint("127.0.0.1", silent, True))
    assert error.kind == "timeout"
    assert error.message == (
        f"The TLS handshake with 127.0.0.1:{silent} did not end within 0.15 s."
    )


def _close_one(listener: socket.socket) -> None:
    listener.accept()[0].close()


def test_a_peer_that_closes_in_the_handshake_is_one_clear_sentence() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=_close_one, args=(listener,), daemon=True).start()
        error = opened(Endpoint("127.0.0.1", listener.getsockname()[1], True), timeout_s=5)
    assert error.kind == "connect"
    assert "Nothing answers" in error.message


@pytest.mark.parametrize(
    ("script", "said"),
    [
        ([5.0], "No byte of an answer came within 0."),
        ([head(), 5.0], "The answer began, but no token came within 0."),
        ([head() + sse_chunk(delta("x")), 5.0], "had begun, but did not end within 0."),
    ],
)
def test_a_time_limit_says_what_was_waited_for(
    scripted: Scripted, script: list[Any], said: str
) -> None:
    capture = exchange(scripted(script), timeout_s=0.15)
    sample = measure(SampleKey("p", "m", 0, 0, False), asked_of(capture), None, "")
    assert sample.error == "timeout"
    assert said in str(sample.message)


def test_a_request_that_is_not_taken_says_so(silent: int) -> None:
    async def go() -> Capture:
        request = PreparedRequest("POST", f"http://127.0.0.1:{silent}/v1", (), b"x" * 30_000_000)
        connection = await Connection.open(request.endpoint, allow_private=True)
        return await connection.exchange(request.wire_bytes(), 0.15)

    capture = asyncio.run(go())
    assert (capture.ended, capture.sent_ns) == ("timeout", 0)
    assert "did not take the whole request" in str(asked_of(capture).error)
