"""The environment's proxies: http_proxy, https_proxy, all_proxy and no_proxy."""

from __future__ import annotations

import base64
import ipaddress
from urllib.parse import unquote, urlsplit
from urllib.request import getproxies_environment, proxy_bypass

from engine.llm.errors import ProviderError
from engine.llm.request import Proxy
from engine.targets import ProviderAccess, Target


def proxy_for(target: Target | ProviderAccess, url: str) -> Proxy | None:
    """The proxy that a request to `url` goes through, None for a direct connection.

    A proxy resolves names by itself, past the outbound guard, so an address that a user gave
    goes through one only where private endpoints are allowed. This machine's own addresses
    never do. Raises ProviderError for a proxy that is not spoken to by HTTP.
    """
    if target.api_base is not None and not target.allow_private:
        return None
    parts = urlsplit(url)
    host = parts.hostname or ""
    known = getproxies_environment()
    found = known.get(parts.scheme) or known.get("all")
    port = parts.port or (443 if parts.scheme == "https" else 80)
    if not found or _is_own(host) or proxy_bypass(f"{host}:{port}"):
        return None
    return _read(found, parts.scheme)


def _read(text: str, scheme: str) -> Proxy:
    parts = urlsplit(text if "://" in text else f"http://{text}")
    try:
        port = parts.port or 80
    except ValueError:
        port = 0
    if parts.scheme != "http" or not parts.hostname or not port:
        raise ProviderError(
            "unsupported",
            f"The server's {scheme}_proxy is not an address of the form http://host:port; other "
            "kinds of proxy are not spoken to.",
        )
    return Proxy(parts.hostname, port, _authorization(parts.username, parts.password))


def _authorization(user: str | None, password: str | None) -> str | None:
    if user is None:
        return None
    both = f"{unquote(user)}:{unquote(password or '')}".encode()
    return f"Basic {base64.b64encode(both).decode()}"


def _is_own(host: str) -> bool:
    try:
        return ipaddress.ip_address(host.split("%", maxsplit=1)[0]).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")
