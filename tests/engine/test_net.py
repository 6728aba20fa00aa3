"""The outbound guard."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from engine.net import (
    BlockedAddress,
    UnknownHost,
    connect_addresses,
    guarded_httpx_transport,
    is_allowed,
)
from tests.hostile import Hostile

Resolve = Callable[..., list[Any]]


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "10.1.2.3",
        "192.168.1.1",
        "172.16.0.1",
        "169.254.1.1",
        "::1",
        "fe80::1%eth0",
        "fc00::1",
        "100.64.0.1",
        "::ffff:127.0.0.1",
    ],
)
def test_private_addresses_need_permission(address: str) -> None:
    assert not is_allowed(address, allow_private=False)
    assert is_allowed(address, allow_private=True)


@pytest.mark.parametrize("address", ["169.254.169.254", "fd00:ec2::254", "::ffff:169.254.169.254"])
def test_cloud_metadata_is_never_allowed(address: str) -> None:
    assert not is_allowed(address, allow_private=True)


@pytest.mark.parametrize("address", ["0.0.0.0", "::", "224.0.0.1"])
def test_addresses_that_are_nobodys_are_never_allowed(address: str) -> None:
    assert not is_allowed(address, allow_private=True)


def test_a_public_address_is_allowed() -> None:
    assert is_allowed("93.184.216.34", allow_private=False)


def resolves_to(*addresses: str) -> Resolve:
    def getaddrinfo(host: str, port: int, **_: Any) -> list[Any]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (a, port)) for a in addresses]

    return getaddrinfo


def test_a_name_is_judged_by_the_address_it_resolves_to(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", resolves_to("10.0.0.7"))
    with pytest.raises(BlockedAddress, match=r"10\.0\.0\.7.*ALLOW_PRIVATE_ENDPOINTS"):
        connect_addresses("innocent.example", 443, allow_private=False)


def test_only_the_allowed_addresses_of_a_name_are_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", resolves_to("10.0.0.7", "93.184.216.34"))
    found = connect_addresses("mixed.example", 443, allow_private=False)
    assert [address for _, address in found] == [("93.184.216.34", 443)]


def test_an_unknown_name_says_so() -> None:
    with pytest.raises(UnknownHost, match="check the base URL"):
        connect_addresses("no-such-host.invalid", 443, allow_private=True)


def get(url: str, allow_private: bool) -> httpx.Response:
    async def go() -> httpx.Response:
        transport = guarded_httpx_transport(allow_private)
        async with httpx.AsyncClient(transport=transport, trust_env=False) as client:
            return await client.get(url)

    return asyncio.run(go())


def test_httpx_goes_through_the_same_guard() -> None:
    server = Hostile()
    import threading

    thread = threading.Thread(target=server.server.serve_forever, daemon=True)
    thread.start()
    server.answer("/ok", {"fine": True})
    try:
        assert get(f"{server.url}/ok", allow_private=True).json() == {"fine": True}
        with pytest.raises(BlockedAddress):
            get(f"{server.url}/ok", allow_private=False)
    finally:
        server.server.shutdown()
        server.server.server_close()
