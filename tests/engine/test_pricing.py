"""Prices: the owner's first, then LiteLLM's map; unknown is never free."""

from __future__ import annotations

import subprocess
import sys
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.pricing import Price, cost_usd, limits_of, price_of
from engine.samples import Tokens
from engine.targets import Target


def target(litellm_model: str, **fields: object) -> Target:
    prefix, _, name = litellm_model.partition("/")
    return Target(prefix, name, litellm_model, **fields)  # type: ignore[arg-type]


def test_a_custom_price_comes_first() -> None:
    price = price_of(target("openai/gpt-4o", input_cost_per_mtok=1.5, output_cost_per_mtok=6.0))
    assert price == Price(1.5e-6, 6e-6, cached=1.5e-6, reasoning=6e-6, source="custom")


def test_without_one_the_shipped_map_answers() -> None:
    price = price_of(target("openai/gpt-4o"))
    assert price is not None
    assert (price.input, price.output, price.cached) == (2.5e-6, 1e-5, 1.25e-6)
    assert price.source == "litellm"


@pytest.mark.parametrize(
    "model",
    [
        "gpt-4o",
        "openai/gpt-4o",
        "anthropic/claude-haiku-4-5",
        "gemini/gemini-2.5-flash",
        "zai/glm-4.7",
        "mistral/mistral-large-latest",
        "deepseek/deepseek-v4-flash",
        "cohere/command-a-03-2025",
        "cohere_chat/command-a-03-2025",
        "xai/grok-4.7",
        "ollama_chat/llama3.1",
    ],
)
def test_a_model_is_found_with_and_without_its_prefix(model: str) -> None:
    assert price_of(target(model)) is not None
    window, output = limits_of(model)
    assert window is not None
    assert output is not None


def test_a_name_listed_for_one_provider_is_no_price_for_another() -> None:
    assert price_of(target("anthropic/gpt-4o")) is None
    assert limits_of("anthropic/gpt-4o") == (None, None)


def test_a_strange_endpoint_does_not_inherit_the_price_of_a_famous_name() -> None:
    assert price_of(target("openai/gpt-4o", api_base="http://127.0.0.1:9300/v1")) is None
    assert price_of(target("openai/gpt-4o", api_base="https://api.openai.com/v1")) is not None


def test_an_unknown_price_costs_nothing_known() -> None:
    assert price_of(target("hosted_vllm/my-model")) is None
    assert cost_usd(Tokens(input=10, output=10), None) is None


def test_half_a_custom_price_takes_the_other_half_from_the_map_or_stays_unknown() -> None:
    price = price_of(target("openai/gpt-4o", input_cost_per_mtok=1.0))
    assert price is not None
    assert (price.input, price.output, price.source) == (1e-6, 1e-5, "custom")
    assert price_of(target("hosted_vllm/my-model", input_cost_per_mtok=1.0)) is None


def test_a_price_of_zero_that_is_set_is_a_real_zero() -> None:
    price = price_of(target("hosted_vllm/mine", input_cost_per_mtok=0.0, output_cost_per_mtok=0.0))
    assert cost_usd(Tokens(input=5, output=7), price) == 0.0


@pytest.mark.parametrize("tokens", [Tokens(input=None, output=5), Tokens(input=5, output=None)])
def test_unknown_counts_leave_the_cost_unknown(tokens: Tokens) -> None:
    assert cost_usd(tokens, Price(1e-6, 1e-6, 1e-6, 1e-6, "custom")) is None


def test_cached_and_reasoning_tokens_have_their_own_price() -> None:
    price = Price(input=2e-6, output=8e-6, cached=5e-7, reasoning=1e-5, source="litellm")
    tokens = Tokens(input=1000, output=500, cached=400, reasoning=300)
    expected = 600 * 2e-6 + 400 * 5e-7 + 200 * 8e-6 + 300 * 1e-5
    assert cost_usd(tokens, price) == pytest.approx(expected, abs=1e-15)


counts = st.integers(min_value=0, max_value=2_000_000)
per_mtok = st.decimals(min_value=0, max_value=1000, places=4)


@given(counts, counts, per_mtok, per_mtok)
def test_costs_are_exact_to_a_millionth_of_a_millionth(
    input_: int, output: int, price_in: Decimal, price_out: Decimal
) -> None:
    price = price_of(
        target("x/y", input_cost_per_mtok=float(price_in), output_cost_per_mtok=float(price_out))
    )
    exact = (input_ * price_in + output * price_out) / 1_000_000
    cost = cost_usd(Tokens(input=input_, output=output), price)
    assert cost is not None
    assert abs(Decimal(cost) - exact) <= Decimal("1e-12") * max(Decimal(1), exact)


def test_a_long_prompt_is_billed_at_its_own_step() -> None:
    price = price_of(target("gemini/gemini-2.5-pro"))
    assert price is not None
    assert price.at(200_000).input == 1.25e-6
    assert price.at(200_001).input == 2.5e-6
    long = cost_usd(Tokens(input=300_000, output=100), price)
    assert long == pytest.approx(300_000 * 2.5e-6 + 100 * 1.5e-5, abs=1e-12)


def test_costs_equal_those_of_litellm(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LITELLM_LOCAL_MODEL_COST_MAP", "True")
    import litellm

    models = (
        "gpt-4o",
        "claude-haiku-4-5",
        "gemini/gemini-2.5-pro",
        "xai/grok-4.7",
        "zai/glm-4.7",
        "mistral/mistral-large-latest",
        "command-a-03-2025",
    )
    for model in models:
        for prompt in (100, 199_999, 200_000, 200_001, 300_000):
            mine = cost_usd(Tokens(input=prompt, output=1000), price_of(target(model)))
            theirs = sum(
                litellm.cost_per_token(model, prompt_tokens=prompt, completion_tokens=1000)
            )
            assert mine == pytest.approx(theirs, rel=1e-9), (model, prompt)


def test_prices_are_read_without_importing_litellm() -> None:
    code = (
        "import sys; from engine.pricing import limits_of;"
        "assert limits_of('gpt-4o')[0]; assert 'litellm' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
