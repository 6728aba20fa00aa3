"""What LiteLLM ships as data: its providers and the models it knows of each.

The files are read where they lie, without importing LiteLLM (2 s and 160 MB), so web
pages may use this module.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

# Modes of the price map whose models answer chat completions.
CHAT_MODES = frozenset({"chat", "responses", "completion"})

# The map of models: prices, windows, modes.
PRICE_MAP = "model_prices_and_context_window_backup.json"

# Prefixes whose models the map lists under another provider's name.
LISTED_AS = {"cohere": "cohere_chat", "ollama_chat": "ollama"}

# Not offered as a user's provider, because LiteLLM would use this server's own cloud or
# browser login, whichever key is given ...
_SERVER_LOGIN = frozenset(
    "bedrock bedrock_mantle sagemaker sagemaker_chat vertex_ai vertex_ai/agent_engine watsonx "
    "watsonx_text oci sap chatgpt github_copilot gigachat azure_text azure_ai/agents".split()
)
# ... runs the model inside this process, is no model endpoint at all, or is a second name
# that LiteLLM's list has and its router does not know.
_NO_ENDPOINT = frozenset(
    "vllm petals a2a auto_router custom custom_openai cursor langgraph manus ragflow "
    "deepgram elevenlabs fal_ai anthropic_text ai21_chat nanogpt venice".split()
)
# Have no public address of their own: the user has to say where they are.
_OWN_ADDRESS = frozenset(
    "azure azure_ai cloudflare databricks datarobot docker_model_runner hosted_vllm lemonade "
    "litellm_proxy llamafile lm_studio ollama ollama_chat oobabooga openai_like snowflake "
    "triton xinference".split()
)


@dataclass(frozen=True, slots=True)
class LiteLLMProvider:
    """A provider LiteLLM can reach with one key. `prefix` ends with a slash;
    `needs_base` says that it has no public address."""

    prefix: str
    name: str
    needs_base: bool


@lru_cache(maxsize=1)
def providers() -> Mapping[str, LiteLLMProvider]:
    """Providers that chat and need one key at most, by prefix, in alphabetical order."""
    support = shipped("provider_endpoints_support_backup.json")["providers"]
    names = {key: key.replace("_", " ").capitalize() for key in _openai_like()}
    for key, entry in support.items():
        if entry["endpoints"].get("chat_completions"):
            names[key] = entry["display_name"].split(" (`")[0]
    refused = _SERVER_LOGIN | _NO_ENDPOINT
    kept = sorted(
        ((key, name) for key, name in names.items() if _is_offered(key, refused)),
        key=lambda item: item[1].lower(),
    )
    return {f"{key}/": LiteLLMProvider(f"{key}/", name, key in _OWN_ADDRESS) for key, name in kept}


def base_of(prefix: str) -> str | None:
    """The address LiteLLM's data names for an OpenAI-compatible provider, if it does."""
    entry = _openai_like().get(prefix.rstrip("/"))
    return None if entry is None else str(entry["base_url"])


def mode_of(prefix: str, model: str) -> str | None:
    """What the price map says a model does ("chat", "embedding" ...), None if unknown;
    `prefix` ends with a slash."""
    return _modes(prefix).get(model)


def chat_models(prefix: str) -> list[str]:
    """Every chat model the price map knows of a provider, without the prefix, sorted."""
    return sorted(name for name, mode in _modes(prefix).items() if mode in CHAT_MODES)


@lru_cache(maxsize=64)
def _modes(prefix: str) -> dict[str, str]:
    provider = prefix.rstrip("/")
    names = (provider, LISTED_AS.get(provider, provider))
    beginnings = tuple(f"{name}/" for name in names)
    found = {}
    for name, (listed_for, mode) in _listed().items():
        if listed_for in names:
            bare = next((name.removeprefix(b) for b in beginnings if name.startswith(b)), name)
            found[bare] = mode
    return found


@lru_cache(maxsize=1)
def _listed() -> dict[str, tuple[str, str]]:
    """Model id → (LiteLLM's provider, mode); the rest of the map is `engine.pricing`'s."""
    found = shipped(PRICE_MAP)
    return {
        name: (entry.get("litellm_provider", ""), entry.get("mode", ""))
        for name, entry in found.items()
        if name != "sample_spec"
    }


def _is_offered(key: str, refused: frozenset[str]) -> bool:
    return key not in refused and "/" not in key and not key.startswith("text-completion-")


@lru_cache(maxsize=1)
def _openai_like() -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = shipped("llms/openai_like/providers.json")
    return found


def shipped(name: str) -> Any:
    """A JSON file of the installed LiteLLM package, by its path inside it."""
    spec = find_spec("litellm")
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError("litellm is not installed")
    return json.loads((Path(spec.origin).parent / name).read_text(encoding="utf-8"))
