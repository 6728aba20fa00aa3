from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from engine.cancel import Cancelled, CancelToken
from engine.llm import check, discover
from engine.llm.check import check_key
from engine.llm.listings import listing_of
from engine.targets import PLACEHOLDER_KEY, ProviderAccess, Target
from tests.hostile import Hostile, hostile_server

KEY = "sk-alice-0123456789abcdef"


@pytest.fixture
def server() -> Iterator[Hostile]:
    with hostile_server() as hostile:
        yield hostile


@pytest.fixture
def openai(server: Hostile, monkeypatch: pytest.MonkeyPatch) -> ProviderAccess:
    """OpenAI as its list says it behaves, standing on a loopback port."""
    official = listing_of("openai/").model_copy(update={"base": f"{server.url}/v1"})
    monkeypatch.setattr(discover, "listing_of", lambda prefix: official)
    return ProviderAccess("openai", "OpenAI", "openai/", api_key=KEY, allow_private=True)


def own(base: str, key: str = KEY) -> tuple[ProviderAccess, Target]:
    access = ProviderAccess("acme", "Acme", "openai/", base, key, allow_private=True)
    target = Target("acme", "fast-small", "openai/fast-small", base, key, allow_private=True)
    return access, target


def test_a_list_that_needs_a_key_tests_the_key(server: Hostile, openai: ProviderAccess) -> None:
    server.answer("/v1/models", {"data": [{"id": "gpt-4o"}]})
    found = check_key(openai, None, CancelToken())
    assert (found.ok, found.text) == (True, "OpenAI accepted the key and lists 1 model.")
    assert found.latency_ms is not None
    assert 0 < found.latency_ms < 5_000


def test_a_refused_key_is_the_result(server: Hostile, openai: ProviderAccess) -> None:
    server.answer("/v1/models", {"error": {"message": f"bad {KEY}"}}, 401)
    found = check_key(openai, None, CancelToken())
    assert found == check.KeyCheck(
        False, "OpenAI refused the key (HTTP 401). Check it in Settings → API keys."
    )


def test_a_missing_key_is_the_result_and_nobody_is_asked(server: Hostile) -> None:
    access = ProviderAccess("acme", "Acme", "openai/", f"{server.url}/v1", problem="No key.")
    assert check_key(access, None, CancelToken()) == check.KeyCheck(False, "No key.")
    assert server.seen == []


def test_an_address_of_ones_own_is_asked_for_a_few_tokens(demo: Any) -> None:
    access, target = own(demo.base_url, PLACEHOLDER_KEY)
    found = check_key(access, target, CancelToken())
    assert (found.ok, found.text) == (True, "Acme answered with fast-small.")
    assert found.latency_ms is not None
    assert 50 < found.latency_ms < 5_000


def test_a_model_that_is_not_there_is_said_with_its_name(demo: Any) -> None:
    access, _ = own(demo.base_url, PLACEHOLDER_KEY)
    gone = Target("acme", "gone", "openai/gone", demo.base_url, KEY, allow_private=True)
    found = check_key(access, gone, CancelToken())
    assert not found.ok
    assert found.text.startswith("Acme, asked for gone: ")


def test_without_a_model_the_list_shows_that_the_address_answers(server: Hostile) -> None:
    server.answer("/v1/models", {"data": [{"id": "a"}, {"id": "b"}]})
    access, _ = own(f"{server.url}/v1")
    found = check_key(access, None, CancelToken())
    assert found.text == "Acme answers and lists 2 models. Add one to test the key itself."


def test_a_server_that_is_gone_is_said_without_the_key() -> None:
    with hostile_server() as gone:
        url = gone.url
    access, target = own(f"{url}/v1")
    for asked in (target, None):
        found = check_key(access, asked, CancelToken())
        assert (found.ok, found.latency_ms) == (False, None)
        assert "Acme" in found.text
        assert KEY not in found.text


def test_a_cancelled_test_stops(demo: Any) -> None:
    access, target = own(demo.base_url)
    token = CancelToken()
    token.cancel()
    with pytest.raises(Cancelled):
        check_key(access, target, token)
