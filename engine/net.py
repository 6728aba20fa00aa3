"""The outbound guard: every connection to an address a user gave passes through here.

Names are resolved first and the resolved address is checked, then connected to, so that
a name that resolves differently a second time (DNS rebinding) gains nothing.
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import httpx
    import httpx2

# Where clouds hand out credentials; never a model endpoint, whatever the settings say.
_METADATA = frozenset({"169.254.169.254", "169.254.170.2", "fd00:ec2::254", "100.100.100.200"})


class BlockedAddress(Exception):
    """The address may not be connected to; the message names it and the setting."""


class UnknownHost(Exception):
    """The name does not resolve."""


def connect_addresses(
    host: str, port: int, allow_private: bool
) -> list[tuple[socket.AddressFamily, Any]]:
    """Resolve `host` and return the socket addresses that may be connected to, in order.

    Blocking (it asks the resolver). Raises UnknownHost when the name does not resolve and
    BlockedAddress when none of its addresses is allowed.
    """
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (socket.gaierror, UnicodeError) as error:
        raise UnknownHost(f"The host {host!r} is not known; check the base URL.") from error
    allowed: list[tuple[socket.AddressFamily, Any]] = [
        (item[0], item[4]) for item in found if is_allowed(str(item[4][0]), allow_private)
    ]
    if not allowed:
        raise BlockedAddress(_blocked_sentence(host, str(found[0][4][0])))
    return allowed


def is_allowed(address: str, allow_private: bool) -> bool:
    """Whether an IP address may be connected to."""
    ip = ipaddress.ip_address(address.split("%", maxsplit=1)[0])
    if isinstance(ip, ipaddress.IPv6Address) and ip.ipv4_mapped is not None:
        ip = ip.ipv4_mapped
    if str(ip) in _METADATA or ip.is_multicast or ip.is_unspecified:
        return False
    return allow_private or ip.is_global


def _blocked_sentence(host: str, address: str) -> str:
    if address.split("%", maxsplit=1)[0] in _METADATA:
        return f"{host} is a cloud metadata address; it can never be a model endpoint."
    return (
        f"{host} is a private address ({address}), and this server does not connect to those; "
        "an operator can allow it with ALLOW_PRIVATE_ENDPOINTS=true."
    )


def guarded_httpx_transport(allow_private: bool) -> httpx.AsyncHTTPTransport:
    """An httpx transport that connects only to checked addresses, each checked at connect
    time; a refused one raises BlockedAddress, an unknown name UnknownHost."""
    import httpcore
    import httpx

    transport = httpx.AsyncHTTPTransport(trust_env=False)
    backend: Any = _GuardedBackend(httpcore, allow_private)
    transport._pool = httpcore.AsyncConnectionPool(network_backend=backend)
    return transport


def guarded_httpx2_transport(allow_private: bool) -> httpx2.AsyncHTTPTransport:
    """The same for httpx2, which the mcp SDK speaks through."""
    import httpcore2
    import httpx2

    transport = httpx2.AsyncHTTPTransport(trust_env=False)
    backend: Any = _GuardedBackend(httpcore2, allow_private)
    transport._pool = httpcore2.AsyncConnectionPool(network_backend=backend)
    return transport


class _GuardedBackend:
    """A network backend of httpcore or of its twin httpcore2, given as `core`."""

    def __init__(self, core: Any, allow_private: bool) -> None:
        self._inner, self._core, self._allow_private = core.AnyIOBackend(), core, allow_private

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 - httpcore's own signature
        local_address: str | None = None,
        socket_options: Any = None,
    ) -> Any:
        addresses = await asyncio.to_thread(connect_addresses, host, port, self._allow_private)
        last = self._core.ConnectError(f"cannot connect to {host}")
        for _, address in addresses:
            try:
                return await self._inner.connect_tcp(
                    str(address[0]), port, timeout, local_address, socket_options
                )
            except self._core.ConnectError as error:
                last = error
        raise last

    async def connect_unix_socket(
        self,
        path: str,
        timeout: float | None = None,  # noqa: ASYNC109 - httpcore's own signature
        socket_options: Any = None,
    ) -> Any:
        raise BlockedAddress("Unix sockets are not model endpoints.")

    async def sleep(self, seconds: float) -> None:
        await self._inner.sleep(seconds)
