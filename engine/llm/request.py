"""What is asked of a model, and the bytes that ask it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit


@dataclass(frozen=True, slots=True)
class ChatRequest:
    """One streamed chat completion. `max_tokens` None leaves it to the provider;
    `extra` holds further LiteLLM arguments (tools, stop, seed ...)."""

    messages: tuple[Mapping[str, Any], ...]
    max_tokens: int | None = None
    temperature: float | None = None
    extra: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Proxy:
    """An HTTP proxy; `authorization` is the value of its header, which is a secret."""

    host: str
    port: int
    authorization: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where bytes go: host without brackets, port, whether TLS is spoken, and the proxy in
    between, if any."""

    host: str
    port: int
    tls: bool
    proxy: Proxy | None = None

    @property
    def first_hop(self) -> tuple[str, int]:
        """Whom the socket is connected to: host and port."""
        return (self.proxy.host, self.proxy.port) if self.proxy else (self.host, self.port)

    @property
    def authority(self) -> str:
        """host:port, with brackets around an IPv6 address."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


@dataclass(frozen=True, slots=True)
class PreparedRequest:
    """A request that exists as bytes before any clock starts.

    `body` is sent as it stands; `headers` hold the key, so neither is ever logged. `model` is
    LiteLLM's id of what was asked, whose format the answer has.
    """

    method: str
    url: str
    headers: tuple[tuple[str, str], ...] = field(repr=False)
    body: bytes = field(repr=False)
    model: str = ""
    proxy: Proxy | None = None

    @property
    def endpoint(self) -> Endpoint:
        parts = urlsplit(self.url)
        tls = parts.scheme == "https"
        return Endpoint(parts.hostname or "", parts.port or (443 if tls else 80), tls, self.proxy)

    def wire_bytes(self) -> bytes:
        """The HTTP/1.1 request, head and body in one piece. A proxy is told the whole
        address, unless TLS goes through it in a tunnel.

        Compression is refused, because a compressing server holds tokens back until its
        buffer fills; a server that compresses all the same is still read.
        """
        parts = urlsplit(self.url)
        path = parts.path or "/"
        if parts.query:
            path = f"{path}?{parts.query}"
        host = parts.netloc.rpartition("@")[2]
        if self.proxy and parts.scheme == "http":
            path = f"http://{host}{path}"
        lines = [f"{self.method} {path} HTTP/1.1", f"host: {host}"]
        lines += [f"{k}: {v}" for k, v in self.headers if k.lower() not in _OWN_HEADERS]
        if self.proxy and self.proxy.authorization and parts.scheme == "http":
            lines.append(f"proxy-authorization: {self.proxy.authorization}")
        lines += ["accept-encoding: identity", f"content-length: {len(self.body)}", "", ""]
        return "\r\n".join(lines).encode("latin-1") + self.body


_OWN_HEADERS = frozenset(
    {"host", "accept-encoding", "content-length", "connection", "transfer-encoding"}
)
