from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.llm import discover as module
from engine.llm.discover import Discovery, discover
from engine.llm.errors import ProviderError
from engine.llm.listings import listing_of
from engine.targets import PLACEHOLDER_KEY, ProviderAccess
from tests.hostile import Hostile, hostile_server

KEY = "sk-alice-0123456789abcdef"


@pytest.fixture
def server() -> Iterator[Hostile]:
    with hostile_server() as hostile:
        yield hostile


def reach(prefix: str, base: str | None, key: str | None = KEY, problem: str | None = None) -> Any:
    return ProviderAccess("acme", "Acme", prefix, base, key, allow_private=True, problem=problem)


def ids(found: Discovery) -> list[str]:
    return [model.id for model in found.models]


def test_any_base_url_is_asked_the_openai_way(server: Hostile) -> None:
    server.answer("/v1/models", {"data": [{"id": "a"}]})
    assert ids(discover(reach("openai/", f"{server.url}/v1/"))) == ["a"]


def test_an_openai_list_is_read_with_its_windows(server: Hostile) -> None:
    server.answer(
        "/v1/models",
        {
            "data": [
                {"id": "vllm", "max_model_len": 8192},
                {"id": "router", "context_length": 32_000, "name": "A router",
                 "top_provider": {"max_completion_tokens": 4096}},
                {"id": "llama.cpp", "meta": {"n_ctx": 2048, "n_ctx_train": 8192}},
                {"id": "plain"},
            ]
        },
    )  # fmt: skip
    found = discover(reach("openai/", f"{server.url}/v1"))
    assert (found.source, found.note) == ("provider", "")
    assert found.latency_ms is not None
    assert [(m.id, m.name, m.context_window, m.max_output_tokens) for m in found.models] == [
        ("vllm", "vllm", 8192, None),
        ("router", "A router", 32_000, 4096),
        ("llama.cpp", "llama.cpp", 2048, None),
        ("plain", "plain", None, None),
    ]


def test_a_server_of_ones_own_is_taken_at_its_word(server: Hostile) -> None:
    server.answer("/v1/models", {"data": [{"id": "gpt-4o"}, {"id": "text-embedding-3-small"}]})
    found = discover(reach("openai/", f"{server.url}/v1"))
    assert [(m.id, m.context_window) for m in found.models] == [
        ("gpt-4o", None),
        ("text-embedding-3-small", None),
    ]


def test_the_key_travels_as_a_bearer_token(server: Hostile) -> None:
    server.answer("/v1/models", {"data": []})
    discover(reach("openai/", f"{server.url}/v1"))
    assert server.seen[0][1]["authorization"] == f"Bearer {KEY}"


def test_anthropic_is_asked_its_own_way_page_by_page(server: Hostile) -> None:
    first = {"data": [{"id": "claude-a", "display_name": "Claude A", "max_input_tokens": 200_000}],
             "has_more": True, "last_id": "claude/a"}  # fmt: skip
    last = {"data": [{"id": "claude-b"}], "has_more": False, "last_id": "claude-b"}
    server.answer("/v1/models?limit=1000", first)
    server.answer("/v1/models?limit=1000&after_id=claude%2Fa", last)
    found = discover(reach("anthropic/", f"{server.url}/v1"))
    assert [(m.id, m.name, m.context_window) for m in found.models] == [
        ("claude-a", "Claude A", 200_000),
        ("claude-b", "claude-b", None),
    ]
    headers = server.seen[0][1]
    assert (headers["x-api-key"], headers["anthropic-version"]) == (KEY, "2023-06-01")
    assert "authorization" not in headers


def test_gemini_lists_only_what_generates_and_loses_its_prefix(server: Hostile) -> None:
    chat = {
        "name": "models/gemini-x",
        "displayName": "Gemini X",
        "inputTokenLimit": 1_048_576,
        "outputTokenLimit": 65_536,
        "supportedGenerationMethods": ["generateContent"],
    }
    other = {"name": "models/embed", "supportedGenerationMethods": ["embedContent"]}
    server.answer("/v1beta/models?pageSize=1000", {"models": [chat, other], "nextPageToken": "t2"})
    server.answer("/v1beta/models?pageSize=1000&pageToken=t2", {"models": []})
    found = discover(reach("gemini/", server.url))
    [model] = found.models
    assert (model.id, model.name) == ("gemini-x", "Gemini X")
    assert (model.context_window, model.max_output_tokens) == (1_048_576, 65_536)
    assert server.seen[0][1]["x-goog-api-key"] == KEY
    assert KEY not in server.seen[0][0]


def test_cohere_mistral_ollama_and_together_have_their_own_shapes(server: Hostile) -> None:
    server.answer("/v1/models?endpoint=chat&page_size=1000", {"models": [{"name": "command-x"}]})
    assert ids(discover(reach("cohere_chat/", f"{server.url}/v2/chat"))) == ["command-x"]
    server.answer(
        "/m/models",
        {"data": [{"id": "talks", "capabilities": {"completion_chat": True}},
                  {"id": "embeds", "capabilities": {"completion_chat": False}}]},
    )  # fmt: skip
    assert ids(discover(reach("mistral/", f"{server.url}/m"))) == ["talks"]
    server.answer("/api/tags", {"models": [{"name": "llama3:8b", "model": "llama3:8b"}]})
    assert ids(discover(reach("ollama_chat/", f"{server.url}/v1"))) == ["llama3:8b"]
    server.answer("/t/models", [{"id": "chats", "type": "chat"}, {"id": "draws", "type": "image"}])
    assert ids(discover(reach("together_ai/", f"{server.url}/t"))) == ["chats"]


def test_the_demo_provider_lists_the_model_that_never_fails_first(demo: Any) -> None:
    found = discover(reach("openai/", demo.base_url, PLACEHOLDER_KEY))
    assert found.models[0].id == "fast-small"
    assert "flaky" in ids(found)


@pytest.mark.parametrize(
    ("path", "sentence"),
    [
        ("html", "Acme answered with a web page instead of JSON."),
        ("missing", "Acme has nothing at"),
        ("cut", "Acme broke the connection"),
        ("huge", "Acme sent more than 5 MB"),
    ],
)
def test_a_bad_server_is_one_sentence_and_never_litellms_list(
    server: Hostile, path: str, sentence: str
) -> None:
    with pytest.raises(ProviderError) as refused:
        discover(reach("openai/", f"{server.url}/{path}"))
    assert str(refused.value).startswith(sentence)
    assert KEY not in str(refused.value)


@pytest.mark.parametrize(
    "body", [{}, [1], {"data": {}}, {"data": None}, {"models": "x"}, "text", 5, None]
)
def test_json_that_is_no_list_is_said(server: Hostile, body: Any) -> None:
    server.answer("/v1/models", body)
    with pytest.raises(ProviderError, match="is no model list"):
        discover(reach("openai/", f"{server.url}/v1"))


def test_an_error_in_a_200_is_said(server: Hostile) -> None:
    server.answer("/v1/models", {"error": {"message": f"no such key {KEY}"}})
    with pytest.raises(ProviderError, match="answered with an error") as refused:
        discover(reach("openai/", f"{server.url}/v1"))
    assert KEY not in str(refused.value)


def test_a_slow_server_costs_no_more_than_the_limit_over_all_pages(
    server: Hostile, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(ProviderError, match="did not answer within"):
        discover(reach("openai/", f"{server.url}/slow"), timeout_s=0.4)


def test_a_list_without_end_is_cut(server: Hostile, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_MODELS", 3)
    server.answer("/v1/models", {"data": [{"id": f"m{i}"} for i in range(9)]})
    found = discover(reach("openai/", f"{server.url}/v1"))
    assert (len(found.models), found.cut) == (3, True)


def test_pages_without_end_are_cut(server: Hostile) -> None:
    def page(cursor: str) -> dict[str, Any]:
        return {"models": [{"name": f"m{cursor}"}], "next_page_token": "again"}

    first = "/v1/models?endpoint=chat&page_size=1000"
    server.answer(first, page("0"))
    server.answer(f"{first}&page_token=again", page("1"))
    found = discover(reach("cohere_chat/", server.url))
    assert ids(found) == ["m0", "m1"]
    assert len(server.seen) == module.MAX_PAGES


def test_the_same_id_twice_is_one_model(server: Hostile) -> None:
    server.answer("/v1/models", {"data": [{"id": "a"}, {"id": "b"}, {"id": "a"}]})
    assert ids(discover(reach("openai/", f"{server.url}/v1"))) == ["a", "b"]


def test_a_public_provider_that_cannot_be_asked_gets_litellms_list_with_the_reason() -> None:
    problem = "Anthropic has no key. Add one in Settings → API keys."
    found = discover(reach("anthropic/", None, None, problem))
    assert (found.source, found.note) == ("litellm", problem)
    assert "claude-sonnet-4-5" in ids(found)
    sonnet = next(model for model in found.models if model.id == "claude-sonnet-4-5")
    assert sonnet.context_window == 200_000
    assert all(not model.id.startswith("anthropic/") for model in found.models)


def test_a_provider_litellm_knows_nothing_of_is_an_error() -> None:
    with pytest.raises(ProviderError, match="no known address for a model list"):
        discover(reach("oobabooga/", None))


def test_what_does_not_chat_is_left_out_and_counted(
    server: Hostile, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.answer("/v1/models", {"data": [{"id": "gpt-4o"}, {"id": "text-embedding-3-small"}]})
    official = listing_of("openai/").model_copy(update={"base": f"{server.url}/v1"})
    monkeypatch.setattr(module, "listing_of", lambda prefix: official)
    found = discover(reach("openai/", None))
    assert (ids(found), found.left_out) == (["gpt-4o"], 1)
    assert found.models[0].context_window == 128_000


def test_every_block_of_the_data_is_complete() -> None:
    for name in ("openai", "anthropic", "gemini", "mistral", "deepseek", "xai", "cohere"):
        listing = listing_of(f"{name}/")
        url = listing.url(reach(f"{name}/", None))
        assert url is not None
        assert url.startswith("https://")
        assert listing.checks_key


def test_providers_that_litellm_ships_as_data_need_no_block() -> None:
    assert listing_of("scaleway/").url(reach("scaleway/", None)) == (
        "https://api.scaleway.ai/v1/models"
    )


fields = st.sampled_from("id name data models capabilities type meta top_provider x".split())
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(fields, inner),
    max_leaves=20,
)


@given(answer=json_values, prefix=st.sampled_from(("openai/", "gemini/", "mistral/", "ollama/")))
def test_no_json_breaks_the_reading(answer: Any, prefix: str) -> None:
    listing = listing_of(prefix)
    for model in listing.models(answer) or []:
        assert model.id
        assert model.id.isprintable()
        assert len(model.id) <= 200
        assert len(model.name) <= 200
    listing.following("http://x/", answer)
