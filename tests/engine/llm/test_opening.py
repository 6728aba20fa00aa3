"""What is said on a new connection before its first request."""

from __future__ import annotations

import ssl

import pytest

from engine.llm.errors import ProviderError
from engine.llm.opening import Opening, failed, late
from engine.llm.request import Endpoint, Proxy

PLAIN = Endpoint("h", 80, False)
SECURED = Endpoint("models.example", 443, True)
TUNNEL = Endpoint("2001:db8::7", 8443, True, Proxy("proxy.example", 3128, "Basic eA=="))


def test_a_plain_connection_is_open_at_once() -> None:
    opening = Opening(PLAIN)
    assert opening.begin() == b""
    assert (opening.stage, opening.tls, opening.tls_ms) == ("open", None, None)


def test_plain_http_needs_no_tunnel() -> None:
    opening = Opening(Endpoint("h", 80, False, Proxy("proxy.example", 3128)))
    opening.begin()
    assert opening.stage == "open"


def test_tls_begins_with_its_hello() -> None:
    opening = Opening(SECURED)
    assert opening.begin().startswith(b"\x16\x03")
    assert opening.stage == "tls"


def test_a_tunnel_comes_before_tls_however_its_answer_is_cut() -> None:
    opening = Opening(TUNNEL)
    assert opening.begin() == (
        b"CONNECT [2001:db8::7]:8443 HTTP/1.1\r\nhost: [2001:db8::7]:8443\r\n"
        b"proxy-authorization: Basic eA==\r\n\r\n"
    )
    answer = b"HTTP/1.0 200 OK\r\nvia: x\r\n\r\n"
    for cut in range(len(answer) - 1):
        assert opening.feed(answer[cut : cut + 1]) == b""
        assert opening.stage == "tunnel"
    assert opening.feed(answer[-1:]).startswith(b"\x16\x03")
    assert opening.stage == "tls"


@pytest.mark.parametrize("answer", [b"HTTP/1.1 403 No\r\n\r\n", b"\r\n\r\n", b"HTTP/2 200\r\n\r\n"])
def test_any_other_answer_is_a_refusal(answer: bytes) -> None:
    opening = Opening(TUNNEL)
    opening.begin()
    with pytest.raises(ProviderError, match=r"proxy\.example:3128 opens no tunnel"):
        opening.feed(answer)


def test_tls_that_is_none_is_an_error() -> None:
    opening = Opening(SECURED)
    opening.begin()
    with pytest.raises(ssl.SSLError):
        opening.feed(b"HTTP/1.1 400 Bad Request\r\n\r\n")


@pytest.mark.parametrize(
    ("endpoint", "stage", "said"),
    [
        (PLAIN, "connect", "No connection to h:80 was made within 2 s."),
        (TUNNEL, "connect", "No connection to proxy.example:3128 was made within 2 s."),
        (TUNNEL, "name", "The name proxy.example was not resolved within 2 s."),
        (
            TUNNEL,
            "tunnel",
            "The proxy proxy.example:3128 opened no tunnel to [2001:db8::7]:8443 within 2 s.",
        ),
        (SECURED, "tls", "The TLS handshake with models.example:443 did not end within 2 s."),
    ],
)
def test_a_stage_that_takes_too_long_is_named(endpoint: Endpoint, stage: str, said: str) -> None:
    error = late(endpoint, stage, 2.0)  # type: ignore[arg-type]
    assert (error.kind, error.message) == ("timeout", said)


def test_what_failed_is_said_in_the_systems_words() -> None:
    refused = failed(PLAIN, ConnectionRefusedError(111, "Connect call failed ('127.0.0.1', 80)"))
    assert refused.message.startswith("Nothing answers at h:80 (Connection refused);")
    unreachable = failed(TUNNEL, OSError(113, "x"))
    assert "through the proxy proxy.example:3128 (No route to host)" in unreachable.message
    assert "x.example" in failed(Endpoint("x.example", 1, False), TimeoutError("late")).message
