"""What recorded usage costs, from the stream to the sample, to 1e-12 USD.

Each shape is what a provider sends. What it should cost is computed here on its own: the
counts were worked out by hand, the prices are exact fractions out of the price map's text.
"""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal

import pytest

from engine.litellm_data import PRICE_MAP
from engine.llm.ask import Asked
from engine.llm.decode import decode
from engine.pricing import price_of
from engine.samples import Sample, SampleKey
from engine.speed.metrics import measure
from engine.targets import Target
from tests.engine.llm.formats import (
    Stream,
    anthropic,
    begin,
    block,
    cohere,
    content,
    gemini,
    one_read_each,
    openai,
    said,
    text,
)
from tests.engine.llm.streams import delta

Place = Literal["own", "finish", "every", "groq", "choice", "none", "start", "both"]


@dataclass(frozen=True)
class Shape:
    """A usage object and where it stands in the stream. `counts` are the tokens of each
    price, which do not overlap; None where the cost is unknown. `listed` is the model's name
    in the price map and `step` the ending of its prices there."""

    name: str
    model: str
    usage: dict[str, Any]
    counts: dict[str, int] | None
    place: Place = "own"
    listed: str = ""
    step: str = ""
    more: dict[str, Any] = field(default_factory=dict)


def chat(given: int, output: int, total: int | None = None, **more: Any) -> dict[str, Any]:
    """OpenAI's names."""
    counts = {"prompt_tokens": given, "completion_tokens": output}
    return counts | {"total_tokens": given + output if total is None else total} | more


def cached(tokens: int, **more: int) -> dict[str, Any]:
    return {"prompt_tokens_details": {"cached_tokens": tokens, **more}}


def thought(tokens: int, **more: int) -> dict[str, Any]:
    return {"completion_tokens_details": {"reasoning_tokens": tokens, **more}}


AUDIO = {"audio_tokens": 0, "accepted_prediction_tokens": 0, "rejected_prediction_tokens": 0}
NULLS = {"prompt_tokens_details": None, "completion_tokens_details": None}


OPENAI = [
    Shape("plain", "openai/gpt-4o", chat(1_117, 46), {"input": 1_117, "output": 46}),
    Shape(
        "all details at zero",
        "openai/gpt-4o",
        chat(19, 10, **cached(0, audio_tokens=0), **thought(0, **AUDIO)),
        {"input": 19, "output": 10},
    ),
    Shape(
        "a cached prefix",
        "openai/gpt-4o",
        chat(2_006, 300, **cached(1_920), **thought(0)),
        {"input": 86, "cached": 1_920, "output": 300},
    ),
    Shape(
        "all cached",
        "openai/gpt-4o",
        chat(1_024, 1, **cached(1_024)),
        {"cached": 1_024, "output": 1},
    ),
    Shape("null details", "openai/gpt-4o", chat(8, 9, **NULLS), {"input": 8, "output": 9}),
    Shape(
        "in the finish chunk", "openai/gpt-4o", chat(55, 7), {"input": 55, "output": 7}, "finish"
    ),
    Shape("in every chunk", "openai/gpt-4o", chat(13, 2), {"input": 13, "output": 2}, "every"),
    Shape("no usage", "openai/gpt-4o", {}, None, "none"),
    Shape("null usage", "openai/gpt-4o", {"prompt_tokens": None, "completion_tokens": None}, None),
    Shape(
        "o3-mini thinks inside",
        "openai/o3-mini",
        chat(75, 1_186, **thought(1_024)),
        {"input": 75, "output": 162, "reasoning": 1_024},
    ),
    Shape(
        "o4-mini, cached",
        "openai/o4-mini",
        chat(4_000, 900, **cached(3_072), **thought(640)),
        {"input": 928, "cached": 3_072, "output": 260, "reasoning": 640},
    ),
    Shape(
        "gpt-5 thinks only",
        "openai/gpt-5",
        chat(30, 2_048, **thought(2_048)),
        {"input": 30, "reasoning": 2_048},
    ),
    Shape(
        "gpt-5.6 writes its cache",
        "openai/gpt-5.6",
        chat(6_000, 100, **cached(1_024, cache_write_tokens=4_096), **thought(64)),
        {"input": 880, "cached": 1_024, "write": 4_096, "output": 36, "reasoning": 64},
    ),
    Shape(
        "gpt-5.6 with a long prompt",
        "openai/gpt-5.6",
        chat(300_000, 1_000, **cached(200_000, cache_write_tokens=50_000)),
        {"input": 50_000, "cached": 200_000, "write": 50_000, "output": 1_000},
        step="_above_272k_tokens",
    ),
    Shape(
        "gpt-5.6 at the step",
        "openai/gpt-5.6",
        chat(272_000, 1_000),
        {"input": 272_000, "output": 1_000},
    ),
    Shape(
        "Azure",
        "azure/gpt-4o",
        chat(26, 80, **cached(0, audio_tokens=0), **thought(0, audio_tokens=0)),
        {"input": 26, "output": 80},
        more={"prompt_filter_results": [{"prompt_index": 0, "content_filter_results": {}}]},
    ),
    Shape(
        "Azure, cached",
        "azure/gpt-5",
        chat(5_000, 250, **cached(4_864), **thought(192)),
        {"input": 136, "cached": 4_864, "output": 58, "reasoning": 192},
    ),
]
DEEPSEEK = [
    Shape(
        "DeepSeek's own names",
        "deepseek/deepseek-chat",
        chat(1_728, 92, prompt_cache_hit_tokens=1_664, prompt_cache_miss_tokens=64),
        {"input": 64, "cached": 1_664, "output": 92},
        "finish",
    ),
    Shape(
        "DeepSeek, both names",
        "deepseek/deepseek-chat",
        chat(
            1_728, 92, prompt_cache_hit_tokens=1_664, prompt_cache_miss_tokens=64, **cached(1_664)
        ),
        {"input": 64, "cached": 1_664, "output": 92},
        "finish",
    ),
    Shape(
        "DeepSeek, nothing cached",
        "deepseek/deepseek-chat",
        chat(17, 5, prompt_cache_hit_tokens=0, prompt_cache_miss_tokens=17),
        {"input": 17, "output": 5},
        "finish",
    ),
    Shape(
        "DeepSeek thinks",
        "deepseek/deepseek-reasoner",
        chat(20, 700, prompt_cache_hit_tokens=0, prompt_cache_miss_tokens=20, **thought(600)),
        {"input": 20, "output": 100, "reasoning": 600},
        "finish",
    ),
]
XAI = [
    Shape(
        "xAI thinks beside",
        "xai/grok-4.20",
        chat(10_120, 1_499, 14_428, **cached(128), **thought(2_809)),
        {"input": 9_992, "cached": 128, "output": 1_499, "reasoning": 2_809},
    ),
    Shape(
        "xAI says one word",
        "xai/grok-4.7",
        chat(12, 1, 399, **thought(386)),
        {"input": 12, "output": 1, "reasoning": 386},
    ),
    Shape(
        "xAI without a total",
        "xai/grok-4.7",
        {"prompt_tokens": 12, "completion_tokens": 2, **thought(317)},
        {"input": 12, "output": 2, "reasoning": 317},
    ),
    Shape(
        "xAI without thought",
        "xai/grok-4.20-non-reasoning",
        chat(
            37, 530, num_sources_used=0, **cached(8, text_tokens=37, image_tokens=0), **thought(0)
        ),
        {"input": 29, "cached": 8, "output": 530},
    ),
    Shape(
        "xAI in every chunk",
        "xai/grok-4.7",
        chat(100, 2, 112, **thought(10)),
        {"input": 100, "output": 2, "reasoning": 10},
        "every",
    ),
    Shape(
        "xAI at its step",
        "xai/grok-4.7",
        chat(200_000, 10, 200_030, **thought(20)),
        {"input": 200_000, "output": 10, "reasoning": 20},
        step="_above_200k_tokens",
    ),
]
OTHERS = [
    Shape(
        "Mistral",
        "mistral/mistral-small-latest",
        chat(15, 13),
        {"input": 15, "output": 13},
        "finish",
    ),
    Shape(
        "Mistral, cached",
        "mistral/mistral-small-latest",
        chat(9_000, 40, **cached(8_192)),
        {"input": 808, "cached": 8_192, "output": 40},
        "finish",
    ),
    Shape(
        "Groq, wrapped",
        "groq/openai/gpt-oss-120b",
        chat(80, 60, queue_time=0.04, prompt_time=0.003, completion_time=0.12, total_time=0.16),
        {"input": 80, "output": 60},
        "groq",
    ),
    Shape(
        "Groq, cached",
        "groq/openai/gpt-oss-120b",
        chat(4_641, 1_817, **cached(4_608), **thought(1_500)),
        {"input": 33, "cached": 4_608, "output": 317, "reasoning": 1_500},
        "groq",
    ),
    Shape(
        "Z.AI",
        "zai/glm-4.7",
        chat(640, 90, **cached(512)),
        {"input": 128, "cached": 512, "output": 90},
        "finish",
    ),
    Shape("free of charge", "zai/glm-4.7-flash", chat(640, 90), {"input": 640, "output": 90}),
    Shape("Moonshot's place", "openai/gpt-4o", chat(21, 4), {"input": 21, "output": 4}, "choice"),
    Shape("a price nobody knows", "hosted_vllm/mine", chat(21, 4), None),
    Shape(
        "Cohere",
        "cohere_chat/command-a-03-2025",
        {
            "billed_units": {"input_tokens": 5, "output_tokens": 42.0},
            "tokens": {"input_tokens": 71, "output_tokens": 43},
        },
        {"input": 5, "output": 42},
        listed="command-a-03-2025",
    ),
]
SONNET, OPUS = "anthropic/claude-sonnet-4-5", "anthropic/claude-opus-4-7"
WRITES = {"ephemeral_5m_input_tokens": 456, "ephemeral_1h_input_tokens": 100}
ANTHROPIC = [
    Shape(
        "Anthropic",
        SONNET,
        {"input_tokens": 472, "output_tokens": 89},
        {"input": 472, "output": 89},
        "start",
    ),
    Shape(
        "Anthropic, zeros",
        SONNET,
        {
            "input_tokens": 25,
            "cache_creation_input_tokens": 0,
            "cache_read_input_tokens": 0,
            "cache_creation": {"ephemeral_5m_input_tokens": 0, "ephemeral_1h_input_tokens": 0},
            "output_tokens": 15,
            "service_tier": "standard",
        },
        {"input": 25, "output": 15},
        "start",
    ),
    Shape(
        "Anthropic reads its cache",
        SONNET,
        {"input_tokens": 21, "cache_read_input_tokens": 188_086, "output_tokens": 393},
        {"input": 21, "cached": 188_086, "output": 393},
        "start",
    ),
    Shape(
        "Anthropic writes for five minutes",
        SONNET,
        {"input_tokens": 21, "cache_creation_input_tokens": 188_086, "output_tokens": 393},
        {"input": 21, "write": 188_086, "output": 393},
        "start",
    ),
    Shape(
        "Anthropic writes for an hour",
        OPUS,
        {
            "input_tokens": 4,
            "cache_creation_input_tokens": 5_000,
            "output_tokens": 10,
            "cache_creation": {"ephemeral_5m_input_tokens": 0, "ephemeral_1h_input_tokens": 5_000},
        },
        {"input": 4, "write_1h": 5_000, "output": 10},
        "start",
    ),
    Shape(
        "Anthropic reads and writes both ways",
        OPUS,
        {
            "input_tokens": 2_048,
            "cache_read_input_tokens": 1_800,
            "cache_creation_input_tokens": 556,
            "cache_creation": WRITES,
            "output_tokens": 503,
        },
        {"input": 2_048, "cached": 1_800, "write": 456, "write_1h": 100, "output": 503},
        "start",
    ),
    Shape(
        "Anthropic thinks",
        OPUS,
        {
            "input_tokens": 52,
            "output_tokens": 1_800,
            "output_tokens_details": {"thinking_tokens": 1_500},
        },
        {"input": 52, "output": 300, "reasoning": 1_500},
        "start",
    ),
    Shape(
        "Anthropic counts again at the end",
        SONNET,
        {
            "input_tokens": 10_682,
            "cache_creation_input_tokens": 0,
            "cache_read_input_tokens": 0,
            "output_tokens": 510,
            "server_tool_use": {"web_search_requests": 1},
        },
        {"input": 10_682, "output": 510},
        "both",
    ),
    Shape("Anthropic, cut off", SONNET, {"input_tokens": 472}, None, "start"),
]
FLASH, PRO = "gemini/gemini-2.5-flash", "gemini/gemini-2.5-pro"
GEMINI = [
    Shape(
        "Gemini",
        FLASH,
        {"promptTokenCount": 8, "candidatesTokenCount": 11, "totalTokenCount": 19},
        {"input": 8, "output": 11},
    ),
    Shape(
        "Gemini thinks beside",
        FLASH,
        {
            "promptTokenCount": 8,
            "candidatesTokenCount": 30,
            "thoughtsTokenCount": 957,
            "totalTokenCount": 995,
            "promptTokensDetails": [{"modality": "TEXT", "tokenCount": 8}],
        },
        {"input": 8, "output": 30, "reasoning": 957},
    ),
    Shape(
        "Gemini's thoughts inside",
        FLASH,
        {
            "promptTokenCount": 8,
            "candidatesTokenCount": 987,
            "thoughtsTokenCount": 957,
            "totalTokenCount": 995,
        },
        {"input": 8, "output": 30, "reasoning": 957},
    ),
    Shape(
        "Gemini, cached",
        FLASH,
        {
            "promptTokenCount": 4_000,
            "cachedContentTokenCount": 3_840,
            "candidatesTokenCount": 5,
            "totalTokenCount": 4_005,
        },
        {"input": 160, "cached": 3_840, "output": 5},
    ),
    Shape(
        "Gemini with tools in its prompt",
        PRO,
        {
            "promptTokenCount": 50,
            "toolUsePromptTokenCount": 2_300,
            "candidatesTokenCount": 120,
            "thoughtsTokenCount": 400,
            "totalTokenCount": 2_870,
        },
        {"input": 2_350, "output": 120, "reasoning": 400},
    ),
    Shape(
        "Gemini with a long prompt",
        PRO,
        {
            "promptTokenCount": 250_000,
            "cachedContentTokenCount": 100_000,
            "candidatesTokenCount": 300,
            "thoughtsTokenCount": 200,
            "totalTokenCount": 250_500,
        },
        {"input": 150_000, "cached": 100_000, "output": 300, "reasoning": 200},
        step="_above_200k_tokens",
    ),
    Shape(
        "Gemini thinks only",
        FLASH,
        {"promptTokenCount": 8, "thoughtsTokenCount": 60, "totalTokenCount": 68},
        {"input": 8, "reasoning": 60},
    ),
    Shape("Gemini, cut off", FLASH, {"promptTokenCount": 8, "totalTokenCount": 8}, None),
]
SHAPES = [*OPENAI, *DEEPSEEK, *XAI, *OTHERS, *ANTHROPIC, *GEMINI]


def stream_of(shape: Shape) -> Stream:
    """The usage where the provider puts it, in a stream of two words."""
    prefix = shape.model.partition("/")[0]
    if prefix == "anthropic":
        return anthropic_stream(shape)
    if prefix == "gemini":
        finish = "STOP" if shape.counts else None
        return gemini(said(text("a")), said(text(" b"), finish=finish, **shape.usage))
    if prefix == "cohere_chat":
        end = {"finish_reason": "COMPLETE", "usage": shape.usage}
        return cohere(content("text", "a b"), {"type": "message-end", "delta": end})
    return openai_stream(shape)


def openai_stream(shape: Shape) -> Stream:
    words, finish = [delta("a", **shape.more), delta(" b")], delta(finish_reason="stop")
    if shape.place == "every":
        words = [word | {"usage": shape.usage} for word in words]
    elif shape.place == "finish":
        finish["usage"] = shape.usage
    elif shape.place == "groq":
        finish["x_groq"] = {"id": "req", "usage": shape.usage}
    elif shape.place == "choice":
        finish["choices"][0]["usage"] = shape.usage
    own = [delta(usage=shape.usage) | {"choices": []}] if shape.place == "own" else []
    return openai(*words, finish, *own)


def anthropic_stream(shape: Shape) -> Stream:
    at_start = {name: n for name, n in shape.usage.items() if name != "output_tokens"}
    start = begin(0)
    start["message"]["usage"] = at_start | {"output_tokens": 1}
    if "output_tokens" not in shape.usage:
        return anthropic(start, *block(0, "text", "a")[:2])
    at_end = (
        shape.usage if shape.place == "both" else {"output_tokens": shape.usage["output_tokens"]}
    )
    details = {k: v for k, v in shape.usage.items() if k == "output_tokens_details"}
    stop = {"stop_reason": "end_turn", "stop_sequence": None}
    last = {"type": "message_delta", "delta": stop, "usage": at_end | details}
    return anthropic(start, *block(0, "text", "a", " b"), last, {"type": "message_stop"})


def sample_of(shape: Shape) -> Sample:
    prefix, _, name = shape.model.partition("/")
    target = Target(prefix, name, shape.model)
    capture = one_read_each(stream_of(shape))
    asked = Asked(capture=capture, decoded=decode(capture, shape.model, ()))
    return measure(SampleKey(prefix, name, 0, 0, False), asked, price_of(target), "Say a b.")


@cache
def price_map() -> dict[str, Any]:
    """LiteLLM's map with every number as the fraction that is written there."""
    spec = find_spec("litellm")
    assert spec is not None
    assert spec.origin
    path = Path(spec.origin).parent / PRICE_MAP
    listed: dict[str, Any] = json.loads(path.read_text(), parse_float=Fraction)
    return listed


# Tokens of a price → its names in the map, the first that is there.
PRICES = {
    "input": ("input_cost_per_token",),
    "cached": ("cache_read_input_token_cost", "input_cost_per_token"),
    "write": ("cache_creation_input_token_cost", "input_cost_per_token"),
    "write_1h": ("cache_creation_input_token_cost_above_1hr",),
    "output": ("output_cost_per_token",),
    "reasoning": ("output_cost_per_reasoning_token", "output_cost_per_token"),
}


def exact_cost(shape: Shape) -> Fraction:
    name = shape.listed or shape.model.removeprefix("openai/").removeprefix("anthropic/")
    entry = price_map()[name]
    total = Fraction(0)
    for kind, tokens in (shape.counts or {}).items():
        names = [f"{known}{shape.step}" for known in PRICES[kind]]
        total += tokens * Fraction(next(entry[known] for known in names if known in entry))
    return total


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: shape.name)
def test_recorded_usage_costs_what_it_costs_to_a_millionth_of_a_millionth(shape: Shape) -> None:
    sample = sample_of(shape)
    if shape.counts is None:
        assert sample.tokens.source != "usage" or sample.cost_usd is None
        return
    counts, tokens = shape.counts, sample.tokens
    assert sample.outcome == "ok"
    assert tokens.source == "usage"
    assert tokens.input == sum(
        counts.get(kind, 0) for kind in ("input", "cached", "write", "write_1h")
    )
    assert tokens.output == counts.get("output", 0) + counts.get("reasoning", 0)
    assert sample.cost_usd is not None
    assert abs(Fraction(sample.cost_usd) - exact_cost(shape)) <= Fraction(1, 10**12)


def test_there_are_forty_shapes_and_no_two_alike() -> None:
    assert len(SHAPES) >= 40
    assert Counter(shape.name for shape in SHAPES).most_common(1)[0][1] == 1


def test_xais_bill_is_the_one_it_sent_itself() -> None:
    # The recorded answer said cost_in_usd_ticks 232856000, of which 10^10 are a dollar.
    shape = next(shape for shape in SHAPES if shape.name == "xAI thinks beside")
    assert exact_cost(shape) == Fraction(232_856_000, 10**10)


def test_counts_nobody_sent_are_marked_and_their_cost_is_an_estimate() -> None:
    sample = sample_of(next(shape for shape in SHAPES if shape.name == "no usage"))
    assert sample.tokens.source == "estimate"
    assert (sample.tokens.input, sample.tokens.output) == (4, 2)
    assert sample.cost_usd == pytest.approx(4 * 2.5e-6 + 2 * 1e-5)


@pytest.mark.parametrize("name", ["Anthropic, cut off", "Gemini, cut off", "a price nobody knows"])
def test_what_is_unknown_stays_unknown(name: str) -> None:
    assert sample_of(next(shape for shape in SHAPES if shape.name == name)).cost_usd is None
