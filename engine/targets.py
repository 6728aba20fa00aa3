"""A target: a model at an endpoint with a key, ready to be asked."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from engine.specs import TargetRef

# Sent where an OpenAI-compatible endpoint needs no key; never a key of the environment.
PLACEHOLDER_KEY = "sk-no-key-needed"


@dataclass(frozen=True, slots=True)
class Target:
    """Everything needed to call one model.

    `litellm_model` is the id LiteLLM is asked (`openai/gpt-4o`); `model` is the id its
    owner sees. Prices are USD per million tokens, None when unknown; windows are tokens.
    `allow_private` lets `engine.net` connect to loopback and private addresses.
    `problem` holds a sentence when the target cannot be asked at all (a missing or
    unreadable key): its samples fail with it and the other targets go on.
    """

    provider: str
    model: str
    litellm_model: str
    api_base: str | None = None
    api_key: str | None = field(default=None, repr=False)
    label: str = ""
    provider_label: str = ""
    context_window: int | None = None
    max_output_tokens: int | None = None
    skip_params: frozenset[str] = frozenset()
    input_cost_per_mtok: float | None = None
    output_cost_per_mtok: float | None = None
    system_prompt: str = ""
    allow_private: bool = False
    simulated: bool = False
    problem: str | None = None

    @property
    def ref(self) -> TargetRef:
        return TargetRef(provider=self.provider, model=self.model)


@dataclass(frozen=True, slots=True)
class ProviderAccess:
    """A provider as it can be reached: what a check of its key or its model list needs.

    `prefix` is LiteLLM's provider prefix with its slash; `api_base` None means the
    provider's public address. `key_from` says whose key is used: the user's own, the
    server-wide one, the placeholder, or none. `problem` and `allow_private` are as in `Target`.
    """

    provider: str
    label: str
    prefix: str
    api_base: str | None = None
    api_key: str | None = field(default=None, repr=False)
    key_from: Literal["own", "server", "placeholder", "none"] = "none"
    allow_private: bool = False
    problem: str | None = None
