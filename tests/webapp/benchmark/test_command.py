"""A run as a command: what a shell would read back is what was asked, and no key is in it."""

from __future__ import annotations

import shlex
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.config import Config, config_targets, load_config
from engine.specs import BenchmarkSpec, LoadSpec, TargetRef
from webapp.benchmark.command import PROMPT_MAX_CHARS, bench_commands
from webapp.commands.bench import bench
from webapp.commands.bench_flags import spec_of

CONFIG = load_config()
DEMO = [TargetRef(provider="demo", model=name) for name in ("fast-small", "jittery")]


def words(spec: BenchmarkSpec, endpoints: Any = None, config: Config = CONFIG) -> list[list[str]]:
    return [shlex.split(line) for line in bench_commands(spec, config, endpoints or {})]


def test_one_provider_is_one_command() -> None:
    spec = BenchmarkSpec(targets=tuple(DEMO), runs=10)
    assert bench_commands(spec, CONFIG, {}) == [
        "studio bench --provider demo --model fast-small,jittery --runs 10 --max-tokens 512"
    ]


def test_only_what_differs_from_the_defaults_is_said() -> None:
    spec = BenchmarkSpec(
        targets=tuple(DEMO), temperature=0.25, context_tiers=(0, 5000), warmup=0, timeout_s=30,
        prompt="It's 5 o'clock; $HOME?",
    )  # fmt: skip
    (line,) = words(spec)
    assert line[8:] == ["--max-tokens", "512", "--temperature", "0.25", "--context-tiers",
                        "0,5000", "--no-warmup", "--timeout", "30", "--prompt",
                        "It's 5 o'clock; $HOME?"]  # fmt: skip


def test_a_load_run_carries_its_levels_and_limits() -> None:
    load = LoadSpec(levels=(1, 8), requests=40, ramp_s=2, slo_ttft_ms=500, slo_e2e_ms=9000.5)
    (line,) = words(BenchmarkSpec(targets=tuple(DEMO), load=load))
    assert line[6:14] == ["--concurrency", "1,8", "--requests", "40", "--ramp", "2",
                          "--slo", "ttft=500,e2e=9000.5"]  # fmt: skip
    assert "--runs" not in line
    rates = LoadSpec(arrivals="constant", levels=(2.5,), duration_s=4, stop_at_saturation=False)
    (line,) = words(BenchmarkSpec(targets=tuple(DEMO), load=rates))
    assert line[6:13] == ["--rate", "2.5", "--arrivals", "constant", "--duration", "4",
                          "--past-saturation"]  # fmt: skip


LENGTHS = {"input_mean": 900, "input_std": 50, "output_mean": 80, "output_std": 0}


LOADS = st.fixed_dictionaries(
    {
        "arrivals": st.sampled_from(["closed", "constant", "poisson"]),
        "levels": st.lists(st.integers(1, 2_000), min_size=1, max_size=4),
        "stop_at_saturation": st.booleans(),
    },
    optional={
        "requests": st.integers(1, 100_000),
        "duration_s": st.floats(0.01, 3_600),
        "ramp_s": st.floats(0, 600),
        "slo_ttft_ms": st.floats(0.01, 1e5),
        "slo_tpot_ms": st.floats(0.01, 1e5),
        "slo_e2e_ms": st.floats(0.01, 1e5),
    },
)
HOW_OFTEN = st.fixed_dictionaries({}, optional={"runs": st.integers(1, 1_000)}) | LOADS.map(
    lambda load: {"load": load}
)
PLAIN = st.fixed_dictionaries(
    {},
    optional={
        "warmup": st.integers(0, 5),
        "retries": st.integers(0, 10),
        "seed": st.integers(0, 2**31 - 1),
        "timeout_s": st.floats(1, 3_600),
        "temperature": st.none() | st.floats(0, 2),
        "max_tokens": st.integers(1, 128_000),
        "cache": st.sampled_from(["cold", "warm"]),
        "fixed_output": st.booleans(),
        "budget_usd": st.floats(1e-9, 1e6),
    },
)
WHAT = st.sampled_from(
    [
        {},
        {"prompt": "It's 5 o'clock; $HOME?"},
        {"synthetic": LENGTHS},
        {"context_tiers": (0, 5_000), "recall": True},
        {"context_tiers": (1, 70_000)},
    ]
)


@given(HOW_OFTEN, PLAIN, WHAT)
def test_the_command_line_reads_the_same_spec(
    often: dict[str, Any], plain: dict[str, Any], what: dict[str, Any]
) -> None:
    spec = BenchmarkSpec.model_validate({"targets": DEMO, **often, **plain, **what})
    (line,) = words(spec)
    flags = bench.make_context("bench", line[2:]).params
    targets = config_targets(CONFIG, "demo", "fast-small,jittery", environ={})
    assert spec_of(flags, targets, CONFIG.defaults) == spec


def test_a_set_of_prompts_is_read_from_a_file() -> None:
    spec = BenchmarkSpec.model_validate({"targets": DEMO, "prompts": [{"prompt": "a"}]})
    (line,) = words(spec)
    assert line[-2:] == ["--prompts", "prompts.jsonl"]


@given(st.text(min_size=1, max_size=60).filter(lambda text: text.strip()))
def test_any_prompt_survives_the_shell(prompt: str) -> None:
    spec = BenchmarkSpec(targets=tuple(DEMO), prompt=prompt)
    (line,) = words(spec)
    if spec.prompt != CONFIG.defaults.prompt:
        assert line[line.index("--prompt") + 1] == spec.prompt


def test_a_very_long_prompt_is_read_from_a_file() -> None:
    spec = BenchmarkSpec(targets=tuple(DEMO), prompt="x" * (PROMPT_MAX_CHARS + 1))
    (line,) = bench_commands(spec, CONFIG, {})
    assert line.endswith('--prompt "$(cat prompt.txt)"')


def test_filters_that_would_choose_more_become_a_command_for_each_provider() -> None:
    wanted = (
        TargetRef(provider="demo", model="fast-small"),
        TargetRef(provider="openai", model="gpt-4.1"),
    )
    together = bench_commands(BenchmarkSpec(targets=wanted), CONFIG, {})
    chosen = {
        t.ref for t in config_targets(CONFIG, "demo,openai", "fast-small,gpt-4.1", environ={})
    }
    assert chosen == set(wanted)
    assert len(together) == 1
    crossing = (
        TargetRef(provider="openai", model="gpt-4.1"),
        TargetRef(provider="anthropic", model="claude-haiku-4-5"),
        TargetRef(provider="gemini", model=next(iter(CONFIG.providers["gemini"].models)).id),
        TargetRef(provider="own", model="gpt"),
    )
    apart = words(BenchmarkSpec(targets=crossing))
    assert [line[3] for line in apart] == ["openai", "anthropic", "gemini", "own"]


@pytest.mark.parametrize("has_key", [True, False])
def test_an_endpoint_of_ones_own_is_named_by_its_address(has_key: bool) -> None:
    spec = BenchmarkSpec(targets=(*DEMO, TargetRef(provider="lab", model="my model")))
    first, second = words(spec, {"lab": ("http://10.0.0.5:9/v1", has_key)})
    assert first[2:4] == ["--provider", "demo"]
    assert second[2:6] == ["--base-url", "http://10.0.0.5:9/v1", "--model-id", "my model"]
    assert ("--api-key-env" in second) is has_key


def test_secrets_of_an_address_stay_out() -> None:
    spec = BenchmarkSpec(targets=(TargetRef(provider="lab", model="m"),))
    (line,) = bench_commands(
        spec, CONFIG, {"lab": ("https://me:hunter2@lab.example/v1?key=sk-123", True)}
    )
    assert "hunter2" not in line
    assert "sk-123" not in line
    assert "https://lab.example/v1 " in line
