"""What an MCP server may do to us: the one place where its bytes, redirects and failures
pass, because the SDK swallows some of them and waits for ever on others."""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urljoin, urlsplit

import httpx2

from engine.net import BlockedAddress, UnknownHost, guarded_httpx2_transport

BYTES_MAX = 8 * 1024 * 1024


@dataclass(slots=True)
class Watch:
    """What was seen on the wire. `stop` ends the whole conversation with a sentence; the
    first one stands."""

    where: str
    sse: bool = False
    end: Callable[[], Any] = field(default=lambda: None)
    scope: Any = None
    sentence: str = ""
    status: int = 0
    received: int = 0

    def until(self, moment: float) -> None:
        """Leave the conversation at `moment` of the event loop's clock, if not before."""
        if self.scope is not None:
            self.scope.deadline = min(self.scope.deadline, moment)

    def stop(self, sentence: str) -> None:
        self.sentence = self.sentence or sentence
        self.end()


class WatchedTransport(httpx2.AsyncBaseTransport):
    """Connects through the outbound guard, counts what comes, and refuses what would leave
    the server's own address."""

    def __init__(self, watch: Watch, allow_private: bool) -> None:
        self._watch = watch
        self._inner = guarded_httpx2_transport(allow_private)

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        # Over streamable HTTP the SDK also opens a GET that a server may well refuse.
        matters = self._watch.sse or request.method == "POST"
        try:
            response = await self._inner.handle_async_request(request)
        except (BlockedAddress, UnknownHost, httpx2.TransportError) as error:
            if matters:
                self._watch.stop(_connecting(error, request, self._watch.where))
            raise
        if matters:
            self._watch.status = response.status_code
        self._check(request, response)
        return httpx2.Response(
            response.status_code,
            headers=response.headers,
            stream=_Counted(response.stream, self._watch),
            extensions=response.extensions,
        )

    def _check(self, request: httpx2.Request, response: httpx2.Response) -> None:
        if response.headers.get("content-encoding", "identity").lower() != "identity":
            self._watch.stop(
                f"{self._watch.where} compresses its answer although it was not asked to."
            )
        location = response.headers.get("location")
        if not 300 <= response.status_code < 400 or not location:
            return
        old, new = urlsplit(str(request.url)), _parts(urljoin(str(request.url), location))
        if new is None or (old.scheme, old.netloc) != new[:2]:
            told = f"{new[0]}://{new[1]}" if new else "an address that is none"
            self._watch.stop(
                f"{self._watch.where} redirects to {told}, and another host is never followed. If "
                "you trust that address, enter it as the URL."
            )

    async def aclose(self) -> None:
        await self._inner.aclose()


def _parts(url: str) -> tuple[str, str] | None:
    try:
        parts = urlsplit(url)
    except ValueError:
        return None
    return parts.scheme, parts.netloc.rpartition("@")[2]


class _Counted(httpx2.AsyncByteStream):
    def __init__(self, inner: Any, watch: Watch) -> None:
        self._inner, self._watch = inner, watch

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for chunk in self._inner:
            self._watch.received += len(chunk)
            if self._watch.received > BYTES_MAX:
                limit = BYTES_MAX // 1024**2
                self._watch.stop(
                    f"{self._watch.where} sent more than {limit} MB; reading was stopped."
                )
                return
            yield chunk

    async def aclose(self) -> None:
        await self._inner.aclose()


def _connecting(error: Exception, request: httpx2.Request, where: str) -> str:
    """What failed below HTTP, in our own words: the library's may quote headers."""
    causes = _causes(error)
    host = request.url.host
    if isinstance(error, BlockedAddress):
        return str(error)
    if any(isinstance(cause, ConnectionRefusedError) for cause in causes):
        return f"{where} refused the connection. Is it running there?"
    if any(isinstance(cause, ssl.SSLError) for cause in causes):
        return f"{where} has no valid TLS certificate for that name."
    told = next((text for kind, text in _FAILED if isinstance(error, kind)), _FAILED[-1][1])
    return told.format(where=where, host=host)


_FAILED: tuple[tuple[type[Exception], str], ...] = (
    (UnknownHost, "{where} cannot be reached: this server finds no host {host!r}."),
    (httpx2.TimeoutException, "{where} did not answer in time."),
    (httpx2.ConnectError, "{where} cannot be reached: no connection could be made."),
    (Exception, "{where} broke the connection, or does not speak HTTP."),
)


def _causes(error: BaseException) -> list[BaseException]:
    found: list[BaseException] = []
    current: BaseException | None = error
    while current is not None and current not in found:
        found.append(current)
        current = current.__cause__ or current.__context__
    return found
