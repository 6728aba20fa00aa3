"""Connections of the load generator: TLS with a certificate authority of one's own."""

from __future__ import annotations

import datetime
import socket
import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from engine.llm.tls import tls_context
from engine.samples import unpack_arrivals
from tests.engine.llm.conftest import ScriptedServer
from tests.engine.llm.streams import ANSWER, chunked, head, sse
from tests.engine.speed.load.shares import run_here, share_of

WHOLE = head() + chunked(sse(*ANSWER, "[DONE]"))


@dataclass
class TlsServer(ScriptedServer):
    """The scripted server behind TLS."""

    context: ssl.SSLContext | None = None

    @property
    def base_url(self) -> str:
        return f"https://localhost:{self.port}/v1"

    def _serve(self, client: socket.socket) -> None:
        assert self.context is not None
        try:
            secured = self.context.wrap_socket(client, server_side=True)
        except OSError:
            client.close()
            return
        super()._serve(secured)


def _certificate(folder: Path) -> Path:
    """A self-signed certificate for localhost, with its key, in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.datetime.now(datetime.UTC)
    day = datetime.timedelta(days=1)
    builder = x509.CertificateBuilder(name, name, key.public_key(), 1, now - day, now + day)
    names = x509.SubjectAlternativeName([x509.DNSName("localhost")])
    ca = x509.BasicConstraints(ca=True, path_length=None)
    builder = builder.add_extension(names, critical=False).add_extension(ca, critical=True)
    signed = builder.sign(key, hashes.SHA256())
    path = folder / "localhost.pem"
    path.write_bytes(
        signed.public_bytes(serialization.Encoding.PEM)
        + key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return path


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return _certificate(tmp_path_factory.mktemp("tls"))


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
