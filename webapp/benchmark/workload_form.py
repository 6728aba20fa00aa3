"""The part of the benchmark form that says what is asked: one prompt, a set of them, or filler of
drawn lengths; and whether a cache may answer. `ask` says which fields count."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from engine.specs import BenchmarkSpec, SyntheticSpec
from engine.speed.promptsets import PromptSetError, parse_prompts, to_jsonl
from webapp.benchmark.load_form import text

PROMPT, PROMPTS, SYNTHETIC = "prompt", "prompts", "synthetic"
ASKS = ((PROMPT, "One prompt"), (PROMPTS, "A set of prompts"), (SYNTHETIC, "Drawn lengths"))
CACHES = (("cold", "Cold: no cache can answer"), ("warm", "Warm: one prefix, primed first"))
LENGTHS = ("input_mean", "input_std", "output_mean", "output_std")
SWITCHES = ("fixed_output", "recall")
NAMES = ("ask", "prompts", *LENGTHS, "cache", *SWITCHES, "budget_usd")
LABELS = {
    "prompts": "Set of prompts",
    "input_mean": "Tokens in",
    "input_std": "Spread of tokens in",
    "output_mean": "Tokens out",
    "output_std": "Spread of tokens out",
    "budget_usd": "Budget",
    "recall": "Recall",
}
# What a new form offers to somebody who chooses drawn lengths.
FIRST_LENGTHS = SyntheticSpec(input_mean=1_000, input_std=200, output_mean=128, output_std=32)


def shown(spec: BenchmarkSpec | None) -> dict[str, str]:
    """The typed values that would ask the same again; without a spec a new form's."""
    lengths = (spec and spec.synthetic) or FIRST_LENGTHS
    values = {name: str(getattr(lengths, name)) for name in LENGTHS}
    if spec is None:
        return values | {"ask": PROMPT, "prompts": "", "cache": "cold", "budget_usd": "",
                         "fixed_output": "", "recall": ""}  # fmt: skip
    ask = PROMPTS if spec.prompts else SYNTHETIC if spec.synthetic else PROMPT
    switches = {name: "1" if getattr(spec, name) else "" for name in SWITCHES}
    return values | switches | {
        "ask": ask,
        "prompts": to_jsonl(spec.prompts) if spec.prompts else "",
        "cache": spec.cache,
        "budget_usd": text(spec.budget_usd),
    }  # fmt: skip


def data(values: Mapping[str, str], tiers: list[str]) -> tuple[dict[str, Any], dict[str, str]]:
    """The spec's fields as typed, not yet validated, and a sentence for a set of prompts that
    cannot be read. Fields that are out of sight do not count."""
    ask = values["ask"] or PROMPT
    budget = values["budget_usd"].strip()
    found: dict[str, Any] = {
        "cache": values["cache"] or "cold",
        "fixed_output": bool(values["fixed_output"]),
        "recall": bool(values["recall"]) and ask != SYNTHETIC,
        "budget_usd": budget or None,
        "context_tiers": ["0"] if ask == SYNTHETIC else tiers,
    }
    if ask == SYNTHETIC:
        found["synthetic"] = {name: values[name].strip() or "0" for name in LENGTHS}
    if ask != PROMPTS:
        return found, {}
    try:
        return found | {"prompts": parse_prompts(values["prompts"].encode())}, {}
    except PromptSetError as error:
        return found, {"prompts": _sentence(error)}


def _sentence(error: PromptSetError) -> str:
    said = str(error).rstrip(".") + "."
    if error.line is None and "no prompts" in said:
        return "Paste or choose a file with at least one prompt."
    return said[:1].upper() + said[1:]
