"""Connections of the load generator: TLS with a certificate authority of one's own, IPv6,
and connections that do not come about."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable

import pytest

from engine.llm.tls import tls_context
from engine.samples import Sample, unpack_arrivals
from engine.speed.load import connections, slot
from tests.engine.llm.conftest import WHOLE
from tests.engine.llm.scripted_server import ScriptedServer
from tests.engine.llm.tls_server import TlsServer
from tests.engine.speed.load.shares import run_here, share_of


@pytest.mark.usefixtures("trusted")
def test_requests_over_tls_share_their_connections(tls_server: TlsServer) -> None:
    """Session tickets, which come after the handshake, close no idle connection."""
    streams, _ = run_here(share_of(tls_server.base_url, 2, 6))
    assert [stream.sample.outcome for stream in streams] == ["ok"] * 6
    assert len(unpack_arrivals(streams[0].arrivals)) == 3
    cold = [stream.sample for stream in streams if stream.sample.connect_ms is not None]
    assert len(cold) == 2
    assert all(sample.tls_ms is not None and sample.tls_ms > 0 for sample in cold)


def test_a_certificate_nobody_vouches_for_fails_the_requests(tls_server: TlsServer) -> None:
    tls_context.cache_clear()
    streams, _ = run_here(share_of(tls_server.base_url, 1, 2))
    assert [stream.sample.error for stream in streams] == ["connect"] * 2
    assert "TLS with localhost failed" in str(streams[0].sample.message)


@pytest.mark.skipif(not socket.has_ipv6, reason="this machine has no IPv6")
def test_an_ipv6_address_is_asked_like_any_other(scripted: Callable[..., ScriptedServer]) -> None:
    server = scripted([WHOLE], host="::1")
    streams, _ = run_here(share_of(server.base_url, 2, 4))
    assert [stream.sample.outcome for stream in streams] == ["ok"] * 4
    assert b"\r\nhost: [::1]:%d\r\n" % server.port in server.requests[0]


def test_the_next_address_of_a_name_is_tried_when_one_does_not_answer(
    scripted: Callable[..., ScriptedServer], monkeypatch: pytest.MonkeyPatch
) -> None:
    server = scripted([WHOLE])
    dead, alive = ("127.0.0.1", 1), ("127.0.0.1", server.port)
    both = [(socket.AF_INET, dead), (socket.AF_INET, alive)]
    monkeypatch.setattr(connections, "connect_addresses", lambda *_: both)
    streams, _ = run_here(share_of(server.base_url, 2, 4))
    assert [stream.sample.outcome for stream in streams] == ["ok"] * 4


def opened_late(url: str, monkeypatch: pytest.MonkeyPatch) -> Sample:
    """The sample of a request whose connection has 0.1 s for each stage."""
    monkeypatch.setattr(slot, "_STAGE_NS", 100_000_000)
    ((stream,), _) = run_here(share_of(url, 1, 1))
    return stream.sample


def test_an_address_that_swallows_connections_says_so(
    full_house: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    sample = opened_late(f"http://127.0.0.1:{full_house}/v1", monkeypatch)
    assert (sample.outcome, sample.error) == ("failed", "timeout")
    assert f"No connection to 127.0.0.1:{full_house} was made" in str(sample.message)


def test_a_tls_handshake_without_an_answer_says_so(
    silent: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    sample = opened_late(f"https://127.0.0.1:{silent}/v1", monkeypatch)
    assert (sample.outcome, sample.error) == ("failed", "timeout")
    assert "The TLS handshake with" in str(sample.message)


def _close_one(listener: socket.socket) -> None:
    listener.accept()[0].close()


def test_a_peer_that_closes_in_the_handshake_fails_the_request_at_once() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        closing = threading.Thread(target=_close_one, args=(listener,), daemon=True)
        closing.start()
        ((stream,), _) = run_here(share_of(f"https://127.0.0.1:{listener.getsockname()[1]}/v1"))
        closing.join()
    assert (stream.sample.outcome, stream.sample.error) == ("failed", "connect")


def test_an_idle_connection_that_is_reset_fails_nobody(
    scripted: Callable[..., ScriptedServer],
) -> None:
    server = scripted([WHOLE, 0.02, "reset"], [WHOLE])
    streams, _ = run_here(share_of(server.base_url, 1, due_ms=(0, 150, 200)))
    assert [stream.sample.outcome for stream in streams] == ["ok"] * 3
