"""The timed step against a server whose bytes and pauses are known."""

from __future__ import annotations

import asyncio
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from engine.llm import exchange as exchange_module
from engine.llm import tls, wire
from engine.llm.errors import ProviderError
from engine.llm.exchange import Capture
from engine.llm.request import Endpoint, PreparedRequest
from engine.llm.wire import Connection
from tests.engine.llm.conftest import ScriptedServer
from tests.engine.llm.streams import ANSWER, chunked, delta, head, sse

Scripted = Callable[..., ScriptedServer]
ANSWERED = [head() + chunked(sse(*ANSWER))]


def request_for(server: ScriptedServer, body: bytes = b"{}") -> PreparedRequest:
    return PreparedRequest("POST", f"{server.base_url}/chat/completions", (), body)


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


@pytest.fixture
def certificate(tmp_path: Path) -> tuple[Path, Path]:
    """A certificate for localhost and its key, made for this test."""
    cert, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2",
         "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost",
         "-keyout", str(key), "-out", str(cert)],
        check=True, capture_output=True,
    )  # fmt: skip
    return cert, key


async def tls_exchange(cert: Path, key: Path, trust: bool) -> Capture:
    import ssl

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert, key)

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n{}")
        writer.write(ANSWERED[0])
        await writer.drain()
        await reader.read()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0, ssl=context)
    port = server.sockets[0].getsockname()[1]
    if trust:
        tls.tls_context().load_verify_locations(cert)
    request = PreparedRequest("POST", f"https://localhost:{port}/v1", (), b"{}")
    try:
        connection = await Connection.open(request.endpoint, allow_private=True)
        capture = await connection.exchange(request.wire_bytes(), 5)
        connection.close()
        return capture
    finally:
        server.close()


def test_tls_takes_the_same_path_with_its_own_figure(certificate: tuple[Path, Path]) -> None:
    tls.tls_context.cache_clear()
    capture = asyncio.run(tls_exchange(*certificate, trust=True))
    tls.tls_context.cache_clear()
    assert capture.ended == "complete"
    assert capture.clock in ("kernel", "read")
    assert capture.tls_ms is not None
    assert b"".join(capture.chunks) == ANSWERED[0]


def test_an_unknown_certificate_is_refused(certificate: tuple[Path, Path]) -> None:
    tls.tls_context.cache_clear()
    with pytest.raises(ProviderError, match="TLS with localhost failed"):
        asyncio.run(tls_exchange(*certificate, trust=False))
