"""What a request costs, and what a model can hold: the owner's price first, else the price
map LiteLLM ships, which is read as a file so that LiteLLM itself is not imported."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, Literal
from urllib.parse import urlsplit

from engine.litellm_data import LISTED_AS, PRICE_MAP, shipped
from engine.samples import Tokens
from engine.targets import Target

_KEPT = re.compile(
    r"(litellm_provider|max_(input|output)_tokens"
    r"|(input_cost_per|output_cost_per|output_cost_per_reasoning)_token"
    r"|cache_read_input_token_cost|cache_creation_input_token_cost(_above_1hr)?"
    r"|(input_cost_per_token|output_cost_per_token|cache_read_input_token_cost"
    r"|cache_creation_input_token_cost(_above_1hr)?)_above_\d+k_tokens)"
)
_STEP = re.compile(r"_above_(\d+)k_tokens$")

# These bill the higher step from the threshold itself on, the others above it.
_FROM_THRESHOLD = frozenset({"xai"})


@dataclass(frozen=True, slots=True)
class Price:
    """USD per token. Where a provider has no price of its own for cached or reasoning
    tokens, or for writing into a cache, they cost what input and output cost; `cache_write_1h`,
    a write that lasts an hour, costs at least what `cache_write` does.

    `steps` are (input tokens, price) in ascending order: a request with more input than that
    is billed at that price as a whole.
    """

    input: float
    output: float
    cached: float
    reasoning: float
    source: Literal["custom", "litellm"]
    cache_write: float | None = None
    cache_write_1h: float | None = None
    steps: tuple[tuple[int, Price], ...] = ()

    def at(self, input_tokens: int) -> Price:
        """The price of a request with that many input tokens."""
        reached = [price for threshold, price in self.steps if input_tokens > threshold]
        return reached[-1] if reached else self


def price_of(target: Target) -> Price | None:
    """The price of a target; None when it is unknown, which is never a price of 0.

    A custom price counts as soon as one of its two halves is set; a missing half comes from
    the map. A strange endpoint that speaks OpenAI's format may serve a model of a famous
    name at any price, so the map is not asked for it.
    """
    listed = None if _is_strange(target) else _listed_price(target.litellm_model)
    own_in, own_out = target.input_cost_per_mtok, target.output_cost_per_mtok
    if own_in is None and own_out is None:
        return listed
    if listed is None and (own_in is None or own_out is None):
        return None
    input_, output = (
        own / 1e6 if own is not None else listed_half
        for own, listed_half in (
            (own_in, listed.input if listed else 0.0),
            (own_out, listed.output if listed else 0.0),
        )
    )
    return Price(input_, output, cached=input_, reasoning=output, source="custom")


def cost_usd(tokens: Tokens, price: Price | None) -> float | None:
    """What the counted tokens cost, in USD; None when the price or a count is unknown.

    `tokens.input` includes what was read from and written into a cache, and `tokens.output`
    the reasoning; a breakdown that was not reported counts as none.
    """
    if price is None or tokens.input is None or tokens.output is None:
        return None
    rate = price.at(tokens.input)
    cached = min(tokens.cached or 0, tokens.input)
    written = min(tokens.cache_write or 0, tokens.input - cached)
    lasting = min(tokens.cache_write_1h or 0, written)
    reasoning = min(tokens.reasoning or 0, tokens.output)
    brief = rate.input if rate.cache_write is None else rate.cache_write
    return math.fsum(
        (
            (tokens.input - cached - written) * rate.input,
            cached * rate.cached,
            (written - lasting) * brief,
            lasting * (brief if rate.cache_write_1h is None else rate.cache_write_1h),
            (tokens.output - reasoning) * rate.output,
            reasoning * rate.reasoning,
        )
    )


def limits_of(litellm_model: str) -> tuple[int | None, int | None]:
    """(context window, largest output) in tokens as the map knows them, None where unknown."""
    entry = _entry(litellm_model) or {}
    return _count(entry.get("max_input_tokens")), _count(entry.get("max_output_tokens"))


def _count(value: object) -> int | None:
    return value if isinstance(value, int) and value > 0 else None


def _is_strange(target: Target) -> bool:
    if not target.api_base or not target.litellm_model.startswith("openai/"):
        return False
    return urlsplit(target.api_base).hostname != "api.openai.com"


@lru_cache(maxsize=1024)
def _listed_price(litellm_model: str) -> Price | None:
    entry = _entry(litellm_model)
    if entry is None:
        return None
    input_, output = entry.get("input_cost_per_token"), entry.get("output_cost_per_token")
    if input_ is None or output is None:
        return None
    base = Price(
        input=float(input_),
        output=float(output),
        cached=float(entry.get("cache_read_input_token_cost", input_)),
        reasoning=float(entry.get("output_cost_per_reasoning_token", output)),
        source="litellm",
        cache_write=_cost(entry, "cache_creation_input_token_cost"),
        cache_write_1h=_cost(entry, "cache_creation_input_token_cost_above_1hr"),
    )
    return replace(base, steps=_steps(entry, base))


def _cost(entry: dict[str, Any], name: str, otherwise: float | None = None) -> float | None:
    return float(entry[name]) if name in entry else otherwise


def _steps(entry: dict[str, Any], base: Price) -> tuple[tuple[int, Price], ...]:
    thresholds = sorted({int(match[1]) for key in entry if (match := _STEP.search(key))})
    inclusive = entry.get("litellm_provider") in _FROM_THRESHOLD
    own_reasoning = "output_cost_per_reasoning_token" in entry
    steps, price = [], base
    for thousands in thresholds:
        tail = f"_above_{thousands}k_tokens"
        output = float(entry.get(f"output_cost_per_token{tail}", price.output))
        price = replace(
            price,
            input=float(entry.get(f"input_cost_per_token{tail}", price.input)),
            cached=float(entry.get(f"cache_read_input_token_cost{tail}", price.cached)),
            output=output,
            reasoning=price.reasoning if own_reasoning else output,
            cache_write=_cost(entry, f"cache_creation_input_token_cost{tail}", price.cache_write),
            cache_write_1h=_cost(
                entry, f"cache_creation_input_token_cost_above_1hr{tail}", price.cache_write_1h
            ),
        )
        steps.append((thousands * 1000 - inclusive, price))
    return tuple(steps)


def _entry(litellm_model: str) -> dict[str, Any] | None:
    """The map's entry for a model id with or without its provider prefix.

    A name that is listed without prefix only counts when it is listed for that provider.
    """
    listed = _price_map()
    if litellm_model in listed:
        return listed[litellm_model]
    prefix, _, name = litellm_model.partition("/")
    provider = LISTED_AS.get(prefix, prefix)
    if f"{provider}/{name}" in listed:
        return listed[f"{provider}/{name}"]
    entry = listed.get(name)
    return entry if entry and entry.get("litellm_provider") == provider else None


@lru_cache(maxsize=1)
def _price_map() -> dict[str, dict[str, Any]]:
    """The shipped map, cut down to what is read here."""
    raw = shipped(PRICE_MAP)
    raw.pop("sample_spec", None)
    return {
        model: {k: v for k, v in entry.items() if v is not None and _KEPT.fullmatch(k)}
        for model, entry in raw.items()
    }
