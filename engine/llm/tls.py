"""TLS over memory buffers, so that encrypted and plain sockets share one read path."""

from __future__ import annotations

import ssl
from functools import cache

_READ_BYTES = 65_536


@cache
def tls_context() -> ssl.SSLContext:
    """Verifying TLS: the system's authorities (SSL_CERT_FILE counts) and certifi's."""
    import certifi

    context = ssl.create_default_context()
    context.load_verify_locations(certifi.where())
    context.set_alpn_protocols(["http/1.1"])
    return context


class TlsPipe:
    """An established TLS session without a socket of its own."""

    def __init__(self, host: str) -> None:
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._session = tls_context().wrap_bio(self._incoming, self._outgoing, server_hostname=host)

    def shake(self, data: bytes = b"") -> tuple[bool, bytes]:
        """One step of the handshake with what the peer sent: whether the session stands,
        and the bytes to send now. Raises ssl.SSLError."""
        self._incoming.write(data)
        try:
            self._session.do_handshake()
        except ssl.SSLWantReadError:
            return False, self._outgoing.read()
        return True, self._outgoing.read()

    def encrypt(self, data: bytes) -> bytes:
        """The records that carry `data`."""
        self._session.write(data)
        return self._outgoing.read()

    def decrypt(self, data: bytes) -> tuple[bytes, bool]:
        """The plaintext that `data` completed, and whether the peer has closed the session
        (or broken it)."""
        self._incoming.write(data)
        pieces: list[bytes] = []
        while True:
            try:
                piece = self._session.read(_READ_BYTES)
            except ssl.SSLWantReadError:
                return b"".join(pieces), False
            except ssl.SSLError:
                return b"".join(pieces), True
            if not piece:
                return b"".join(pieces), True
            pieces.append(piece)
