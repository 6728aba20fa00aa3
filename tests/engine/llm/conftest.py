"""Servers for the tests of the wire: scripted, behind TLS, and a proxy."""

from __future__ import annotations

import contextlib
import socket
import ssl
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from engine.llm.tls import tls_context
from tests.engine.llm.scripted_server import ScriptedServer, Step
from tests.engine.llm.streams import ANSWER, chunked, head, sse
from tests.engine.llm.tls_server import ProxyServer, TlsServer, certificate_in

WHOLE = head() + chunked(sse(*ANSWER))


@pytest.fixture
def scripted() -> Iterator[Callable[..., ScriptedServer]]:
    """Make a scripted server: `scripted(script, ...)`, one script for each request, the last
    one repeated."""
    servers: list[ScriptedServer] = []

    def make(*scripts: Sequence[Step], host: str = "127.0.0.1") -> ScriptedServer:
        server = ScriptedServer(list(scripts), host=host)
        server.start()
        servers.append(server)
        return server

    yield make
    for server in servers:
        server.stop()


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate and its key in one file, made for these tests."""
    return certificate_in(tmp_path_factory.mktemp("tls"))


@pytest.fixture
def tls_server(certificate: Path) -> Iterator[TlsServer]:
    """Says ANSWER to every request."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    server = TlsServer([[WHOLE]], context=context)
    server.start()
    yield server
    server.stop()


@pytest.fixture
def trusted(certificate: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The certificate is one of the system's authorities."""
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    tls_context.cache_clear()
    yield
    tls_context.cache_clear()


@pytest.fixture
def proxy() -> Iterator[Callable[..., ProxyServer]]:
    """Make a proxy to a port of this machine: `proxy(port, says=...)`."""
    servers: list[ProxyServer] = []

    def make(to_port: int, says: bytes | None = None) -> ProxyServer:
        servers.append(ProxyServer(to_port, says))
        servers[-1].start()
        return servers[-1]

    yield make
    for server in servers:
        server.stop()


@pytest.fixture
def silent() -> Iterator[int]:
    """The port of a server that accepts, and neither reads nor says anything."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener.getsockname()[1]


@pytest.fixture
def full_house() -> Iterator[int]:
    """The port of a server that nobody can connect to any more: its queue is full."""
    with contextlib.ExitStack() as stack:
        listener = stack.enter_context(socket.create_server(("127.0.0.1", 0), backlog=0))
        port = listener.getsockname()[1]
        for _ in range(4):
            waiting = stack.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(("127.0.0.1", port))
        yield port
