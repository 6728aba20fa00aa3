"""A run as a `studio bench` command: what was asked, never a key."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from urllib.parse import urlsplit

from engine.config import Config, config_targets
from engine.specs import BenchmarkSpec, LoadSpec, TargetRef
from webapp.benchmark.load_form import text

# A longer prompt would not fit a command line comfortably; it is read from a file.
PROMPT_MAX_CHARS = 4_000
PROMPT_FILE = "prompt.txt"
# A set of prompts is always read from one (`engine.speed.promptsets.to_jsonl` writes it).
PROMPTS_FILE = "prompts.jsonl"
# Where the user's own endpoint wants a key, the reader names the variable that holds it.
KEY_VARIABLE = "ENDPOINT_KEY"


def bench_commands(
    spec: BenchmarkSpec, config: Config, endpoints: Mapping[str, tuple[str, bool]]
) -> list[str]:
    """The commands that repeat `spec`: one for the models of config.yaml where filters can
    name them together, one for each model at an endpoint of the user's own.

    `endpoints` maps a provider to its address and whether it has a key.
    """
    options = _options(spec, config)
    configured = [ref for ref in spec.targets if ref.provider not in endpoints]
    commands = [
        _line(["--provider", ",".join(providers), "--model", ",".join(models)], options)
        for providers, models in _filters(configured, config)
    ]
    for ref in spec.targets:
        if ref.provider in endpoints:
            address, has_key = endpoints[ref.provider]
            key = ["--api-key-env", KEY_VARIABLE] if has_key else []
            commands.append(
                _line(["--base-url", _public(address), "--model-id", ref.model, *key], options)
            )
    return commands


def _line(targets: Sequence[str], options: Sequence[str]) -> str:
    return shlex.join(["studio", "bench", *targets]) + "".join(f" {part}" for part in options)


def _filters(refs: Sequence[TargetRef], config: Config) -> list[tuple[list[str], list[str]]]:
    """Filters match parts of names, so together they may choose more than was asked; then
    each provider gets a command of its own."""
    if not refs:
        return []
    providers = list(dict.fromkeys(ref.provider for ref in refs))
    models = list(dict.fromkeys(ref.model for ref in refs))
    matched = config_targets(config, ",".join(providers), ",".join(models), environ={})
    if len(providers) == 1 or {target.ref for target in matched} == set(refs):
        return [(providers, models)]
    return [([p], [ref.model for ref in refs if ref.provider == p]) for p in providers]


def _options(spec: BenchmarkSpec, config: Config) -> list[str]:
    """Flags already quoted for a shell: how often and how long always, the others where they
    differ from a default (an endpoint outside config.yaml does not know the file's own)."""
    fields = BenchmarkSpec.model_fields
    often = _load(spec.load) if spec.load else [f"--runs {spec.runs}"]
    options = [*often, f"--max-tokens {spec.max_tokens}"]
    temperatures = {fields["temperature"].default, config.defaults.temperature}
    if spec.temperature is None:
        options.append("--temperature default")
    elif temperatures != {spec.temperature}:
        options.append(f"--temperature {spec.temperature!r}")
    if spec.context_tiers != (0,):
        options.append(f"--context-tiers {','.join(map(str, spec.context_tiers))}")
    if spec.warmup != fields["warmup"].default:
        options.append(f"--warmup {spec.warmup}" if spec.warmup else "--no-warmup")
    options += [
        f"{flag} {text(getattr(spec, name))}"
        for name, flag in _NUMBERS.items()
        if getattr(spec, name) != fields[name].default
    ]
    return [*options, *_workload(spec), *_asked(spec, config)]


_NUMBERS = {
    "timeout_s": "--timeout",
    "retries": "--retries",
    "seed": "--seed",
    "budget_usd": "--budget",
}


def _workload(spec: BenchmarkSpec) -> list[str]:
    flags = []
    if spec.cache == "warm":
        flags.append("--cache warm")
    if spec.recall:
        flags.append("--recall")
    if spec.fixed_output:
        flags.append("--fixed-output")
    return flags


def _asked(spec: BenchmarkSpec, config: Config) -> list[str]:
    """What is asked: a file, lengths, or a prompt that is not the default one."""
    if spec.prompts:
        return [f"--prompts {PROMPTS_FILE}"]
    if drawn := spec.synthetic:
        lengths = f"{drawn.input_mean}:{drawn.input_std},{drawn.output_mean}:{drawn.output_std}"
        return [f"--synthetic {lengths}"]
    if len(spec.prompt) > PROMPT_MAX_CHARS:
        return [f'--prompt "$(cat {PROMPT_FILE})"']
    if {BenchmarkSpec.model_fields["prompt"].default, config.defaults.prompt} != {spec.prompt}:
        return [f"--prompt {shlex.quote(spec.prompt)}"]
    return []


def _load(load: LoadSpec) -> list[str]:
    """The flags of a load run: its levels always, the others where they were asked for."""
    levels = ",".join(text(level) for level in load.levels)
    flags = [f"--concurrency {levels}" if load.arrivals == "closed" else f"--rate {levels}"]
    if load.arrivals == "constant":
        flags.append("--arrivals constant")
    if load.requests is not None:
        flags.append(f"--requests {load.requests}")
    if load.duration_s is not None:
        flags.append(f"--duration {text(load.duration_s)}")
    if load.ramp_s:
        flags.append(f"--ramp {text(load.ramp_s)}")
    if not load.stop_at_saturation:
        flags.append("--past-saturation")
    slo = {"ttft": load.slo_ttft_ms, "tpot": load.slo_tpot_ms, "e2e": load.slo_e2e_ms}
    if limits := [f"{name}={text(limit)}" for name, limit in slo.items() if limit is not None]:
        flags.append(f"--slo {','.join(limits)}")
    return flags


def _public(address: str) -> str:
    """An address without name and password, and without a query that may hold a key."""
    parts = urlsplit(address)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2], query="").geturl()
