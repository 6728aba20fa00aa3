"""One guarded GET of a JSON answer: bounded in time and size, through `engine.net`."""

from __future__ import annotations

import asyncio
import json
import ssl
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urljoin, urlsplit

from engine.llm.errors import ProviderError, detail_of, kind_of_status, looks_like_html, mask
from engine.llm.request import Proxy
from engine.llm.tls import tls_context
from engine.net import BlockedAddress, UnknownHost, guarded_httpx_transport

if TYPE_CHECKING:
    import httpx

TIMEOUT_S = 20.0
MAX_BYTES = 5 * 1024 * 1024
MAX_REDIRECTS = 3


@dataclass(frozen=True, slots=True)
class Answer:
    """`data` is the decoded JSON; `latency_ms` the whole exchange, connecting included."""

    data: Any
    latency_ms: float


@dataclass(frozen=True, slots=True)
class _Raw:
    status: int
    headers: httpx.Headers
    body: bytes
    latency_ms: float


def get_json(
    url: str,
    headers: dict[str, str],
    *,
    label: str,
    secret: str | None = None,
    allow_private: bool = False,
    timeout_s: float = TIMEOUT_S,
    proxy: Proxy | None = None,
) -> Answer:
    """GET `url` and decode its JSON, through `proxy` if there is one. `label` names the
    provider in the sentences.

    Raises ProviderError with one sentence that says what happened and what to do; neither
    it nor anything logged holds `secret`. Redirects are followed on the same host only.
    """
    where = _where(url, label)
    _check_headers(headers, label)
    try:
        raw = asyncio.run(_get(url, headers, label, _way(allow_private, proxy), timeout_s))
    except BlockedAddress as error:
        raise ProviderError("connect", f"{label}: {error}") from error
    except UnknownHost as error:
        raise ProviderError("connect", _unknown(url, label)) from error
    except TimeoutError as error:
        sentence = f"{label} did not answer within {timeout_s:g} s."
        raise ProviderError("timeout", sentence) from error
    return Answer(_decode(raw, label, where, secret), raw.latency_ms)


def _where(url: str, label: str) -> str:
    """Host and path of a usable URL, without user, password and query."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise ProviderError("connect", f"{label}: the base URL {url!r} is not valid.") from error
    if parts.scheme not in ("http", "https") or not parts.hostname or port == 0:
        raise ProviderError("connect", f"{label}: the base URL {url!r} is not valid.")
    return parts.netloc.rpartition("@")[2] + parts.path


def _check_headers(headers: dict[str, str], label: str) -> None:
    """Refuse a key that no header can hold, before a library quotes it in an error or a log."""
    if not all(value.isascii() and value.isprintable() for value in headers.values()):
        raise ProviderError(
            "auth",
            f"The key of {label} has a character that cannot be sent. Save it again in "
            "Settings → API keys.",
        )


def _way(allow_private: bool, proxy: Proxy | None) -> httpx.AsyncHTTPTransport:
    """Straight to checked addresses, or through the operator's proxy."""
    import httpx

    if proxy is None:
        return guarded_httpx_transport(allow_private)
    authorization = {"proxy-authorization": proxy.authorization} if proxy.authorization else {}
    host = f"[{proxy.host}]" if ":" in proxy.host else proxy.host
    through = httpx.Proxy(f"http://{host}:{proxy.port}", headers=authorization)
    return httpx.AsyncHTTPTransport(trust_env=False, verify=tls_context(), proxy=through)


async def _get(
    url: str,
    headers: dict[str, str],
    label: str,
    transport: httpx.AsyncHTTPTransport,
    timeout_s: float,
) -> _Raw:
    import httpx

    client = httpx.AsyncClient(
        transport=transport,
        headers={"accept": "application/json", "accept-encoding": "identity", **headers},
        timeout=timeout_s,
        follow_redirects=False,
    )
    try:
        start = time.perf_counter()
        async with asyncio.timeout(timeout_s), client:
            for _ in range(MAX_REDIRECTS + 1):
                raw = await _read(client, url, label, start)
                if not 300 <= raw.status < 400:
                    return raw
                url = _redirected(url, raw.headers.get("location", ""), label)
    except httpx.TimeoutException as error:
        raise TimeoutError from error
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise ProviderError("connect", _broken(error, url, label)) from None
    raise ProviderError("server", f"{label} redirects more than {MAX_REDIRECTS} times.")


async def _read(client: httpx.AsyncClient, url: str, label: str, start: float) -> _Raw:
    """One exchange, timed from `start`; reading stops at MAX_BYTES, however the body is sent."""
    body = bytearray()
    async with client.stream("GET", url) as response:
        async for chunk in response.aiter_bytes(65_536):
            body += chunk
            if len(body) > MAX_BYTES:
                limit = MAX_BYTES // 1024**2
                raise ProviderError(
                    "server", f"{label} sent more than {limit} MB; reading was stopped."
                )
        latency_ms = (time.perf_counter() - start) * 1e3
        return _Raw(response.status_code, response.headers, bytes(body), latency_ms)


def _redirected(url: str, location: str, label: str) -> str:
    old = urlsplit(url)
    try:
        target = urljoin(url, location)
        new = urlsplit(target)
    except ValueError:
        raise ProviderError("server", f"{label} redirects to an address that is none.") from None
    if (old.scheme, old.netloc) == (new.scheme, new.netloc):
        return target
    raise ProviderError(
        "connect",
        f"{label} redirects to {new.scheme}://{new.netloc}, and a key is never sent to another "
        "host. If you trust that address, enter it as the base URL.",
    )


def _unknown(url: str, label: str) -> str:
    host = urlsplit(url).hostname
    return (
        f"{label} cannot be reached: this server finds no host {host!r}. Check the base URL, or "
        "the server's network."
    )


def _broken(error: Exception, url: str, label: str) -> str:
    """What failed below HTTP. The library's own words are not used: they may quote headers."""
    where = urlsplit(url).netloc.rpartition("@")[2]
    causes = list(_causes(error))
    if any(isinstance(cause, ConnectionRefusedError) for cause in causes):
        return f"{label} cannot be reached: {where} refused the connection. Is it running there?"
    if any(isinstance(cause, ssl.SSLError) for cause in causes):
        return f"{label} cannot be reached: {where} has no valid TLS certificate for that name."
    if type(error).__name__ == "ConnectError":
        return f"{label} cannot be reached: no connection to {where} could be made."
    return f"{label} broke the connection, or does not speak HTTP at {where}."


def _causes(error: BaseException) -> list[BaseException]:
    found: list[BaseException] = []
    current: BaseException | None = error
    while current is not None and current not in found:
        found.append(current)
        current = current.__cause__ or current.__context__
    return found


# Status → sentence; "no key" stands for a 401 where none was sent.
_ADVICE = {
    401: "{label} refused the key (HTTP 401). Check it in Settings → API keys.",
    403: "{label} refused the key (HTTP 403): it is not valid, or may not do this.",
    404: "{label} has nothing at {where} (HTTP 404). Check the base URL; most end in /v1.",
    429: "{label} limits the rate (HTTP 429). Try again in a minute.",
}
_NO_KEY = "{label} asks for a key (HTTP 401). Add one in Settings → API keys."


def _decode(raw: _Raw, label: str, where: str, secret: str | None) -> Any:
    text = raw.body.decode("utf-8", "replace")
    content_type = raw.headers.get("content-type", "")
    if raw.status != 200:
        raise ProviderError(
            kind_of_status(raw.status), _refusal(raw, label, where, secret), status=raw.status
        )
    if looks_like_html(text, content_type):
        raise ProviderError(
            "bad_request",
            f"{label} answered with a web page instead of JSON. Check the base URL; most end "
            "in /v1.",
        )
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ProviderError(
            "server", f"{label} answered with something that is not JSON."
        ) from error


def _refusal(raw: _Raw, label: str, where: str, secret: str | None) -> str:
    advice = _NO_KEY if raw.status == 401 and secret is None else _ADVICE.get(raw.status)
    if advice:
        return advice.format(label=label, where=where)
    detail = detail_of(raw.body, raw.headers.get("content-type", ""))
    told = f": {mask(detail, secret)[:200].rstrip('.')}." if detail else "."
    return f"{label} answered HTTP {raw.status}{told}"
