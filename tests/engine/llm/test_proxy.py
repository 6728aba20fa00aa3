"""Which requests go through the environment's proxies, and how."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from engine.cancel import CancelToken
from engine.llm.ask import Asked, Asker
from engine.llm.discover import discover
from engine.llm.errors import ProviderError
from engine.llm.prepare import prepare
from engine.llm.proxy import proxy_for
from engine.llm.request import ChatRequest, Endpoint, Proxy
from engine.samples import Sample
from engine.speed.load.work import NONCE
from engine.targets import ProviderAccess, Target
from tests.engine.llm.conftest import WHOLE
from tests.engine.llm.scripted_server import ScriptedServer
from tests.engine.llm.tls_server import FAR_HOST, ProxyServer, TlsServer
from tests.engine.speed.load.shares import run_here, share_of

Proxies = Callable[..., ProxyServer]
PUBLIC = "https://api.openai.com/v1/chat/completions"
OWN = "https://models.example/v1/chat/completions"


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


def target(base: str | None = None, *, allow_private: bool = False) -> Target:
    return Target("p", "m", "openai/m", base, "sk-alice-key", allow_private=allow_private)


@pytest.mark.parametrize(
    ("url", "base", "allow_private", "through"),
    [
        (PUBLIC, None, False, True),
        (PUBLIC, None, True, True),
        (OWN, OWN, True, True),
        (OWN, OWN, False, False),
        ("http://127.0.0.1:8000/v1", "http://127.0.0.1:8000/v1", True, False),
        ("http://[::1]:8000/v1", "http://[::1]:8000/v1", True, False),
        ("http://localhost:1234/v1", "http://localhost:1234/v1", True, False),
        ("http://10.0.0.7/v1", "http://10.0.0.7/v1", True, True),
    ],
)
def test_a_users_own_address_goes_through_a_proxy_only_where_private_ones_are_allowed(
    monkeypatch: pytest.MonkeyPatch, url: str, base: str | None, allow_private: bool, through: bool
) -> None:
    monkeypatch.setenv("https_proxy", "http://proxy.example:3128")
    monkeypatch.setenv("http_proxy", "proxy.example:3128")
    found = proxy_for(target(base, allow_private=allow_private), url)
    assert found == (Proxy("proxy.example", 3128) if through else None)


@pytest.mark.parametrize(
    ("no_proxy", "through"),
    [("", True), ("*", False), ("openai.com", False), ("api.openai.com:443", False),
     ("api.openai.com:8443", True), ("example.com,.openai.com", False), ("penai.com", True)],
)  # fmt: skip
def test_no_proxy_lists_what_is_asked_directly(
    monkeypatch: pytest.MonkeyPatch, no_proxy: str, through: bool
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.example:3128")
    monkeypatch.setenv("NO_PROXY", no_proxy)
    assert (proxy_for(target(), PUBLIC) is not None) is through


def test_without_a_proxy_for_its_scheme_a_request_is_direct(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert proxy_for(target(), PUBLIC) is None
    monkeypatch.setenv("http_proxy", "http://proxy.example:3128")
    assert proxy_for(target(), PUBLIC) is None
    monkeypatch.setenv("all_proxy", "http://all.example")
    assert proxy_for(target(), PUBLIC) == Proxy("all.example", 80)


@pytest.mark.parametrize(
    "text", ["socks5://p:1080", "https://p:3128", "http://:3128", "http://p:x"]
)
def test_a_proxy_of_another_kind_is_one_clear_sentence(
    monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    monkeypatch.setenv("https_proxy", text)
    with pytest.raises(ProviderError, match="https_proxy is not an address of the form") as caught:
        proxy_for(target(), PUBLIC)
    assert caught.value.kind == "unsupported"


def test_user_and_password_are_sent_and_never_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("https_proxy", "http://alice:p%40ss@proxy.example:3128")
    found = proxy_for(target(), PUBLIC)
    assert found is not None
    assert found.authorization == "Basic YWxpY2U6cEBzcw=="
    assert "YWxpY2U6" not in repr(Endpoint("h", 443, True, found))


def ask(asked: Target, timeout_s: float = 5) -> Asked:
    async def go() -> Asked:
        with ThreadPoolExecutor(1) as cpu:
            asker = Asker(asked, cpu, CancelToken(), timeout_s=timeout_s, retries=0)
            try:
                return await asker.ask(ChatRequest(({"role": "user", "content": "Hi"},)))
            finally:
                asker.close()

    return asyncio.run(go())


def load(asked: Target, streams: int = 2) -> list[Sample]:
    """The same through the load generator."""
    message = {"role": "user", "content": f"[{NONCE}] Hi"}
    prepared = prepare(asked, ChatRequest((message,)))
    share = share_of(
        "http://h/v1", streams, streams, endpoint=prepared.endpoint, allow_private=False,
        bodies=(prepared.wire_bytes(),), secrets=(asked.api_key,),
    )  # fmt: skip
    return [stream.sample for stream in run_here(share)[0]]


@pytest.fixture
def far(trusted: None, tls_server: TlsServer) -> str:
    """The base URL of a server that is reached through a proxy only."""
    return f"https://{FAR_HOST}/v1"


def test_https_goes_through_a_tunnel_and_the_key_stays_inside_it(
    far: str, tls_server: TlsServer, proxy: Proxies, monkeypatch: pytest.MonkeyPatch
) -> None:
    between = proxy(tls_server.port)
    monkeypatch.setenv("https_proxy", f"http://alice:secret@127.0.0.1:{between.port}")
    asked = ask(target(far, allow_private=True))
    assert asked.error is None
    assert asked.decoded is not None
    assert asked.decoded.text == "Grüße, Welt 🌍"
    assert asked.capture is not None
    assert asked.capture.tls_ms is not None
    (head,) = between.heads
    assert head.startswith(f"CONNECT {FAR_HOST}:443 HTTP/1.1\r\n".encode())
    assert b"proxy-authorization: Basic YWxpY2U6c2VjcmV0" in head
    assert b"sk-alice-key" not in head
    assert b"proxy-authorization" not in tls_server.requests[0]


def test_the_load_generator_goes_through_the_same_tunnel(
    far: str, tls_server: TlsServer, proxy: Proxies, monkeypatch: pytest.MonkeyPatch
) -> None:
    between = proxy(tls_server.port)
    monkeypatch.setenv("https_proxy", f"http://127.0.0.1:{between.port}")
    samples = load(target(far, allow_private=True))
    assert [sample.outcome for sample in samples] == ["ok", "ok"]
    assert len(between.heads) == 2
    assert all(sample.tls_ms and sample.connect_ms for sample in samples)


def test_http_is_asked_of_the_proxy_by_its_whole_address(
    proxy: Proxies, scripted: Callable[..., ScriptedServer], monkeypatch: pytest.MonkeyPatch
) -> None:
    server = scripted([WHOLE])
    between = proxy(server.port)
    monkeypatch.setenv("http_proxy", f"http://alice:secret@127.0.0.1:{between.port}")
    base = f"http://{FAR_HOST}:8080/v1"
    asked = ask(target(base, allow_private=True))
    assert asked.error is None
    assert between.heads[0].startswith(
        f"POST {base}/chat/completions HTTP/1.1\r\nhost: {FAR_HOST}:8080\r\n".encode()
    )
    assert b"proxy-authorization: Basic" in between.heads[0]
    assert json.loads(server.requests[0].partition(b"\r\n\r\n")[2])["model"] == "m"
    assert [sample.outcome for sample in load(target(base, allow_private=True))] == ["ok", "ok"]


@pytest.mark.parametrize(
    ("says", "said"),
    [
        (b"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n", "HTTP 407"),
        (b"SSH-2.0-OpenSSH\r\n\r\n", "no HTTP"),
        (b"x" * 20_000, "no HTTP"),
    ],
)
def test_a_proxy_that_refuses_is_named_with_its_answer(
    far: str, proxy: Proxies, monkeypatch: pytest.MonkeyPatch, says: bytes, said: str
) -> None:
    between = proxy(1, says)
    monkeypatch.setenv("https_proxy", f"http://127.0.0.1:{between.port}")
    own = target(far, allow_private=True)
    error = ask(own).error
    assert error is not None
    assert error.kind == "connect"
    assert f"The proxy 127.0.0.1:{between.port} opens no tunnel to {FAR_HOST}:443" in error.message
    assert said in error.message
    (sample,) = load(own, 1)
    assert (sample.outcome, sample.message) == ("failed", error.message)


def test_a_proxy_that_is_not_there_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:1")
    error = ask(target(OWN, allow_private=True)).error
    assert error is not None
    assert "No connection through the proxy 127.0.0.1:1" in error.message


def test_model_lists_are_asked_for_through_the_same_proxies(
    far: str, tls_server: TlsServer, proxy: Proxies, monkeypatch: pytest.MonkeyPatch
) -> None:
    body = b'{"data": [{"id": "far-model"}]}'
    head = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n"
    tls_server.scripts = [[head % len(body) + body]]
    between = proxy(tls_server.port)
    monkeypatch.setenv("https_proxy", f"http://alice:secret@127.0.0.1:{between.port}")
    access = ProviderAccess("p", "Acme", "openai/", far, "sk-alice-key", allow_private=True)
    assert [model.id for model in discover(access).models] == ["far-model"]
    (head_sent,) = between.heads
    assert head_sent.startswith(f"CONNECT {FAR_HOST}:443 HTTP/1.1\r\n".encode())
    assert b"Basic YWxpY2U6c2VjcmV0" in head_sent
    assert b"sk-alice-key" not in head_sent
