"""What is said on a new connection before its first request: a tunnel through a proxy, then
TLS. Knows no socket, so that both runners open connections the same way; and the sentences
for a connection that could not be had."""

from __future__ import annotations

import os
import ssl
import time
from typing import Literal

from engine.llm.errors import ProviderError
from engine.llm.request import Endpoint
from engine.llm.tls import TlsPipe

# Each stage of opening may take this long: the name, the connection, the tunnel, TLS.
STAGE_TIMEOUT_S = 15.0
# A proxy's answer to CONNECT is a head and no more.
_MOST_HEAD = 16_384

Stage = Literal["name", "connect", "tunnel", "tls", "open"]


class Opening:
    """One connection's way from connected to open.

    Send what `begin` and `feed` give, feed what comes, until `stage` is "open". They raise
    ProviderError when the proxy refuses and ssl.SSLError for TLS that fails. `tls` is the
    session, None for a plain connection; `tls_ms` how long its handshake took.
    """

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint
        self._head = b""
        self._began_ns = 0
        self.tls = TlsPipe(endpoint.host) if endpoint.tls else None
        self.tls_ms: float | None = None
        self.stage: Stage = "tunnel" if endpoint.proxy and endpoint.tls else "tls"

    def begin(self) -> bytes:
        """The first bytes to send, if any; a plain connection is open at once."""
        return _connect_request(self._endpoint) if self.stage == "tunnel" else self._shake(b"")

    def feed(self, data: bytes) -> bytes:
        """Take what came, and give what to send now."""
        if self.stage != "tunnel":
            return self._shake(data)
        self._head += data
        head, end, rest = self._head.partition(b"\r\n\r\n")
        if not end and len(head) < _MOST_HEAD:
            return b""
        _check_tunnel(self._endpoint, head)
        self.stage = "tls"
        return self._shake(rest)

    def _shake(self, data: bytes) -> bytes:
        if self.tls is None:
            self.stage = "open"
            return b""
        self._began_ns = self._began_ns or time.monotonic_ns()
        ready, reply = self.tls.shake(data)
        if ready:
            self.stage = "open"
            self.tls_ms = (time.monotonic_ns() - self._began_ns) / 1e6
        return reply


def _connect_request(endpoint: Endpoint) -> bytes:
    where, proxy = endpoint.authority, endpoint.proxy
    lines = [f"CONNECT {where} HTTP/1.1", f"host: {where}"]
    if proxy is not None and proxy.authorization:
        lines.append(f"proxy-authorization: {proxy.authorization}")
    return "\r\n".join([*lines, "", ""]).encode("latin-1")


def _check_tunnel(endpoint: Endpoint, head: bytes) -> None:
    status = head.split(b"\r\n", 1)[0].split(b" ")
    if len(status) > 1 and status[0].startswith(b"HTTP/1.") and status[1].startswith(b"2"):
        return
    said = f"HTTP {status[1].decode('latin-1')[:3]}" if len(status) > 1 else "no HTTP"
    raise ProviderError(
        "connect",
        f"The proxy {_proxy(endpoint)} opens no tunnel to {endpoint.authority} ({said}); check "
        "the server's https_proxy and no_proxy.",
    )


def failed(endpoint: Endpoint, error: OSError) -> ProviderError:
    """Why no connection could be had."""
    if isinstance(error, ssl.SSLError):
        why = error.reason or str(error)
        return ProviderError("connect", f"TLS with {endpoint.host} failed: {why}.")
    words = os.strerror(error.errno) if error.errno and error.errno > 0 else str(error)
    if endpoint.proxy:
        return ProviderError(
            "connect",
            f"No connection through the proxy {_proxy(endpoint)} ({words}); check the server's "
            "http_proxy, https_proxy and no_proxy.",
        )
    return ProviderError(
        "connect",
        f"Nothing answers at {endpoint.authority} ({words}); check the base URL and that the "
        "server runs.",
    )


def late(endpoint: Endpoint, stage: Stage, after_s: float) -> ProviderError:
    """A stage of the opening took too long."""
    where = endpoint.authority
    sentences: dict[Stage, str] = {
        "name": f"The name {endpoint.first_hop[0]} was not resolved",
        "connect": f"No connection to {_proxy(endpoint) if endpoint.proxy else where} was made",
        "tunnel": f"The proxy {_proxy(endpoint)} opened no tunnel to {where}",
        "tls": f"The TLS handshake with {where} did not end",
    }
    return ProviderError("timeout", f"{sentences.get(stage, where)} within {after_s:g} s.")


def _proxy(endpoint: Endpoint) -> str:
    return "{}:{}".format(*endpoint.first_hop)
