"""The scripted server behind TLS, with a certificate of its own, and a proxy before it."""

from __future__ import annotations

import contextlib
import datetime
import socket
import ssl
import threading
from dataclasses import dataclass, field
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.engine.llm.scripted_server import ScriptedServer

# A name that only the proxy of these tests knows.
FAR_HOST = "models.example"


def certificate_in(folder: Path) -> Path:
    """A self-signed certificate for localhost and FAR_HOST, with its key, in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.datetime.now(datetime.UTC)
    day = datetime.timedelta(days=1)
    builder = x509.CertificateBuilder(name, name, key.public_key(), 1, now - day, now + day)
    names = x509.SubjectAlternativeName([x509.DNSName(n) for n in ("localhost", FAR_HOST)])
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


@dataclass
class ProxyServer:
    """An HTTP proxy for which every name is the server on `to_port`.

    `heads` are the request heads it was sent; `says` is what it answers to each of them
    instead of being of use ("" is silence).
    """

    to_port: int
    says: bytes | None = None
    heads: list[bytes] = field(default_factory=list)

    def start(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def stop(self) -> None:
        self._listener.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        with client, contextlib.suppress(OSError):
            data = b""
            while b"\r\n\r\n" not in data:
                if not (more := client.recv(65536)):
                    return
                data += more
            head, _, rest = data.partition(b"\r\n\r\n")
            self.heads.append(head)
            if self.says is not None:
                client.sendall(self.says)
                client.recv(1)
                return
            with socket.create_connection(("127.0.0.1", self.to_port)) as server:
                if head.startswith(b"CONNECT "):
                    client.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
                    _relay(client, server, rest)
                else:
                    _relay(client, server, data)


def _relay(client: socket.socket, server: socket.socket, first: bytes) -> None:
    """Both ways until either ends."""
    server.sendall(first)
    threading.Thread(target=_pass, args=(client, server), daemon=True).start()
    _pass(server, client)


def _pass(source: socket.socket, sink: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(65536):
            sink.sendall(data)
        sink.shutdown(socket.SHUT_RDWR)
