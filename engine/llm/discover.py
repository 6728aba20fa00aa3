"""Which models a provider has, and whether a key is accepted."""

from __future__ import annotations

import time
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from engine import litellm_data
from engine.llm.errors import ProviderError
from engine.llm.fetch import TIMEOUT_S, get_json
from engine.llm.listings import FoundModel, Listing, listing_of
from engine.llm.proxy import proxy_for
from engine.pricing import limits_of
from engine.targets import PLACEHOLDER_KEY, ProviderAccess

# What one list may hold, so that a hostile server cannot fill the database.
MAX_MODELS = 2_000
MAX_PAGES = 10


class Discovery(BaseModel):
    """The models of a provider.

    `source` is "provider" when the provider itself named them, "litellm" when they come
    from LiteLLM's shipped list; `note` then says why. `latency_ms` is the first request's
    time, connecting included. `left_out` counts models that do not chat; `cut` says that
    the list was longer than MAX_MODELS.
    """

    model_config = ConfigDict(frozen=True)

    source: Literal["provider", "litellm"]
    models: tuple[FoundModel, ...]
    latency_ms: float | None = None
    note: str = ""
    left_out: int = 0
    cut: bool = False


def discover(access: ProviderAccess, timeout_s: float = TIMEOUT_S) -> Discovery:
    """Ask the provider for its models; where it cannot be asked and has a public address,
    answer with LiteLLM's list, labelled so.

    Raises ProviderError with one sentence. An address of the user's own is never answered
    from LiteLLM's list, which knows nothing about it.
    """
    try:
        return ask(access, timeout_s)
    except ProviderError as error:
        known = litellm_data.chat_models(access.prefix)
        if access.api_base is not None or not known:
            raise
        found = (_described(FoundModel(id=name, name=name), access) for name in known)
        return Discovery(source="litellm", models=tuple(found), note=error.message)


def ask(access: ProviderAccess, timeout_s: float = TIMEOUT_S, pages: int = MAX_PAGES) -> Discovery:
    """The provider's own list, at most `pages` pages of it. Raises ProviderError."""
    if access.problem:
        raise ProviderError("auth", access.problem)
    listing = listing_of(access.prefix)
    url = listing.url(access)
    if url is None:
        raise ProviderError("unsupported", f"{access.label} has no known address for a model list.")
    found, latency_ms = _pages(listing, url, access, timeout_s, pages)
    described = [_described(model, access) for model in {m.id: m for m in found}.values()]
    chat = [m for m in described if m.mode is None or m.mode in litellm_data.CHAT_MODES]
    return Discovery(
        source="provider",
        models=tuple(chat[:MAX_MODELS]),
        latency_ms=latency_ms,
        left_out=len(described) - len(chat),
        cut=len(chat) > MAX_MODELS,
    )


def checks_key(access: ProviderAccess) -> bool:
    """True when the provider gives its list to a valid key only, and at its own address: an
    unknown server may list its models to anybody."""
    return access.api_base is None and listing_of(access.prefix).checks_key


def _pages(
    listing: Listing, url: str, access: ProviderAccess, timeout_s: float, pages: int
) -> tuple[list[FoundModel], float]:
    found: list[FoundModel] = []
    first_ms: float | None = None
    deadline = time.monotonic() + timeout_s
    page: str | None = url
    while page is not None and pages > 0 and len(found) <= MAX_MODELS:
        answer = get_json(
            page,
            listing.request_headers(access),
            label=access.label,
            secret=None if access.api_key == PLACEHOLDER_KEY else access.api_key,
            allow_private=access.allow_private,
            timeout_s=max(deadline - time.monotonic(), 0.1),
            proxy=proxy_for(access, page),
        )
        found += _models(listing, answer.data, access)
        first_ms = answer.latency_ms if first_ms is None else first_ms
        page, pages = listing.following(url, answer.data), pages - 1
    return found, first_ms or 0.0


def _models(listing: Listing, data: Any, access: ProviderAccess) -> list[FoundModel]:
    if isinstance(data, dict) and data.get("error"):
        raise ProviderError("server", f"{access.label} answered with an error instead of a list.")
    models = listing.models(data)
    if models is None:
        raise ProviderError("server", f"{access.label} answered with JSON that is no model list.")
    return models


def _described(model: FoundModel, access: ProviderAccess) -> FoundModel:
    """With LiteLLM's mode, and its window and output where the provider named none; a server
    at the user's own address is taken at its word, for its names may mean anything."""
    if access.api_base is not None:
        return model
    window, output = limits_of(access.prefix + model.id)
    return model.model_copy(
        update={
            "mode": litellm_data.mode_of(access.prefix, model.id),
            "context_window": model.context_window or window,
            "max_output_tokens": model.max_output_tokens or output,
        }
    )
