from __future__ import annotations

import subprocess
import sys

import pytest

from engine import litellm_data
from engine.llm import litellm_door


def test_the_data_is_read_without_importing_litellm() -> None:
    code = (
        "import sys; from engine import litellm_data as d\n"
        "assert d.providers() and d.chat_models('openai/')\n"
        "sys.exit('litellm' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_providers_stand_in_alphabetical_order_under_their_prefix() -> None:
    found = litellm_data.providers()
    names = [item.name.lower() for item in found.values()]
    assert names == sorted(names)
    assert all(prefix == item.prefix and prefix.endswith("/") for prefix, item in found.items())
    assert found["groq/"].name == "Groq AI"
    assert not found["groq/"].needs_base
    assert found["hosted_vllm/"].needs_base


@pytest.mark.parametrize("prefix", ["bedrock/", "vertex_ai/", "sagemaker/", "vllm/", "a2a/"])
def test_what_needs_more_than_a_key_is_not_offered(prefix: str) -> None:
    assert prefix not in litellm_data.providers()


def test_litellm_routes_every_prefix_that_is_offered() -> None:
    litellm = litellm_door.load()
    for prefix in litellm_data.providers():
        _, provider, _, _ = litellm.get_llm_provider(
            f"{prefix}some-model", api_base="http://127.0.0.1:1/v1", api_key="sk-none"
        )
        assert f"{provider}/" == prefix


def test_models_are_listed_without_their_prefix_and_only_those_that_chat() -> None:
    assert "gpt-4o" in litellm_data.chat_models("openai/")
    assert "text-embedding-3-small" not in litellm_data.chat_models("openai/")
    assert "mistral-large-latest" in litellm_data.chat_models("mistral/")
    assert litellm_data.chat_models("ollama_chat/") == litellm_data.chat_models("ollama/")
    assert litellm_data.chat_models("hosted_vllm/") == []


def test_a_mode_counts_for_its_own_provider_only() -> None:
    assert litellm_data.mode_of("openai/", "text-embedding-3-small") == "embedding"
    assert litellm_data.mode_of("mistral/", "text-embedding-3-small") is None
    assert litellm_data.mode_of("openai/", "nobody-knows-it") is None


def test_a_base_is_known_for_providers_that_are_only_data() -> None:
    assert litellm_data.base_of("scaleway/") == "https://api.scaleway.ai/v1"
    assert litellm_data.base_of("openai/") is None
