"""Embeddings over real sockets: asked in OpenAI's format, and by LiteLLM in others."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import pytest

from engine.cancel import Cancelled, CancelToken
from engine.llm.embed import embed
from engine.llm.errors import ProviderError
from engine.targets import Target
from tests.helpers import eventually
from tests.hostile import Hostile, hostile_server

TEXTS = ["It rains.", "Es regnet. ☂"]


@pytest.fixture
def server() -> Iterator[Hostile]:
    with hostile_server() as running:
        yield running


def asked(server: Hostile, model: str = "openai/embed", **more: Any) -> Target:
    values = {"api_base": f"{server.url}/v1", "api_key": "sk-embed-key", **more}
    return Target("lab", "embed", model, allow_private=True, **values)


def test_vectors_come_back_in_the_order_of_the_texts(server: Hostile) -> None:
    items = [{"index": 1, "embedding": [0, 1]}, {"index": 0, "embedding": [1, 0.5]}]
    server.answer("/v1/embeddings", {"data": items})

    assert embed(asked(server), TEXTS, CancelToken(), timeout_s=5) == [[1.0, 0.5], [0.0, 1.0]]
    [(path, headers)] = server.seen
    assert (path, headers["authorization"]) == ("/v1/embeddings", "Bearer sk-embed-key")


def test_another_format_is_written_and_read_by_litellm(server: Hostile) -> None:
    values = [{"values": [1, 0]}, {"values": [0, 1]}]
    path = "/v1beta/models/embed:batchEmbedContents"
    server.answer(path, {"embeddings": values})
    server.answer(f"{path}?key=sk-embed-key", {"embeddings": values})

    found = embed(
        asked(server, "gemini/embed", api_base=f"{server.url}/v1beta"),
        TEXTS,
        CancelToken(),
        timeout_s=5,
    )

    assert found == [[1.0, 0.0], [0.0, 1.0]]


@pytest.mark.parametrize(
    ("answer", "status", "kind"),
    [
        ({"error": {"message": "No such model sk-embed-key."}}, 404, "bad_request"),
        ({"error": {"message": "Slow down."}}, 429, "rate_limited"),
        ({"data": [{"index": 0, "embedding": [1]}]}, 200, "server"),
        ({"data": "?"}, 200, "server"),
        (b"<html>", 200, "server"),
        (b"[", 200, "server"),
    ],
)
def test_whatever_else_is_one_masked_error(
    server: Hostile, answer: Any, status: int, kind: str
) -> None:
    server.answer("/v1/embeddings", answer, status)
    with pytest.raises(ProviderError) as failed:
        embed(asked(server), TEXTS, CancelToken(), timeout_s=5)
    assert failed.value.kind == kind
    assert "sk-embed" not in failed.value.message


def test_a_cancel_ends_an_open_request(server: Hostile) -> None:
    cancel = CancelToken()

    def stop() -> None:
        eventually(lambda: server.seen)
        cancel.cancel()

    stopper = threading.Thread(target=stop)
    stopper.start()
    slow = asked(server, api_base=f"{server.url}/slow")
    with pytest.raises(Cancelled):
        embed(slow, TEXTS, cancel, timeout_s=60)
    stopper.join()


def test_who_cannot_be_asked_is_not_asked(server: Hostile) -> None:
    with pytest.raises(ProviderError, match="no key"):
        embed(asked(server, problem="Lab has no key."), TEXTS, CancelToken(), timeout_s=5)
    with pytest.raises(ProviderError, match="credentials"):
        embed(asked(server, "bedrock/titan"), TEXTS, CancelToken(), timeout_s=5)
    assert server.seen == []
