"""The flags of `studio bench` as values, and together as a `BenchmarkSpec`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from webapp.commands.problems import BadUsage

if TYPE_CHECKING:
    from engine.config import Defaults
    from engine.specs import BenchmarkSpec
    from engine.targets import Target

# What --temperature says to leave the provider's own.
OWN_TEMPERATURE = "default"

# Flags that are a field of the spec, and those of its load part.
_FIELDS = {
    "runs": "runs",
    "warmup": "warmup",
    "max_tokens": "max_tokens",
    "temperature": "temperature",
    "prompt": "prompt",
    "context_tiers": "context_tiers",
    "timeout": "timeout_s",
    "retries": "retries",
    "seed": "seed",
    "synthetic": "synthetic",
    "cache": "cache",
    "budget": "budget_usd",
}
_SWITCHES = ("fixed_output", "recall")
_LOAD_FIELDS = {
    "requests": "requests",
    "duration": "duration_s",
    "ramp": "ramp_s",
}
_LOAD_ONLY = ("arrivals", *_LOAD_FIELDS, "past_saturation", "slo")
_SLOS = ("ttft", "tpot", "e2e")


def tiers(_ctx: click.Context, _param: click.Parameter, value: str | None) -> list[int] | None:
    """Whole numbers separated by commas; 5K is 5000."""
    if value is None:
        return None
    try:
        return [_whole(part) for part in value.split(",") if part.strip()]
    except ValueError:
        raise click.BadParameter("give tokens separated by commas, such as 0,5000.") from None


def levels(_ctx: click.Context, _param: click.Parameter, value: str | None) -> list[float] | None:
    """Numbers separated by commas."""
    if value is None:
        return None
    try:
        return [float(part) for part in value.split(",") if part.strip()]
    except ValueError:
        raise click.BadParameter("give numbers separated by commas, such as 1,8,64.") from None


def slo(_ctx: click.Context, _param: click.Parameter, value: str | None) -> dict[str, float]:
    """ "ttft=500,tpot=50" as the SLO fields of a spec."""
    pairs = [part.partition("=") for part in (value or "").split(",") if part.strip()]
    try:
        limits = {name.strip().lower(): float(limit) for name, _, limit in pairs}
    except ValueError:
        limits = {"": 0.0}
    if set(limits) - set(_SLOS):
        raise click.BadParameter("give limits in milliseconds, such as ttft=500,tpot=50,e2e=9000.")
    return {f"slo_{name}_ms": limit for name, limit in limits.items()}


def temperature(
    _ctx: click.Context, _param: click.Parameter, value: str | None
) -> float | str | None:
    """A number, or the word that leaves it to the provider."""
    if value is None or value == OWN_TEMPERATURE:
        return value
    try:
        return float(value)
    except ValueError:
        raise click.BadParameter(f"give a number or {OWN_TEMPERATURE!r}.") from None


def lengths(
    _ctx: click.Context, _param: click.Parameter, value: str | None
) -> dict[str, int] | None:
    """Tokens in and out, each a mean with an optional spread: 1000:200,128:32."""
    if value is None:
        return None
    try:
        (in_mean, in_std), (out_mean, out_std) = map(_mean_and_std, value.split(","))
    except ValueError:
        raise click.BadParameter(
            "give tokens in and out, each as MEAN or MEAN:SPREAD, such as 1000:200,128."
        ) from None
    return {
        "input_mean": in_mean,
        "input_std": in_std,
        "output_mean": out_mean,
        "output_std": out_std,
    }


def _mean_and_std(text: str) -> tuple[int, int]:
    mean, _, std = text.partition(":")
    return _whole(mean), _whole(std or "0")


def _whole(text: str) -> int:
    text = text.strip().upper()
    return int(text[:-1]) * 1000 if text.endswith("K") else int(text)


def spec_of(
    flags: dict[str, Any], targets: list[Target], defaults: Defaults | None
) -> BenchmarkSpec:
    """The flags as a spec; what is not given comes from config.yaml, else from the spec.
    Raises BadUsage with one line for each refused flag."""
    from pydantic import ValidationError

    from engine.specs import BenchmarkSpec, explain

    _refuse_together(flags)
    fields = (
        defaults.model_dump(include={"max_tokens", "temperature", "prompt"}) if defaults else {}
    )
    for flag, field in _FIELDS.items():
        if flags[flag] is not None:
            fields[field] = flags[flag]
    fields |= {name: True for name in _SWITCHES if flags[name]}
    if fields.get("temperature") == OWN_TEMPERATURE:
        fields["temperature"] = None
    if flags["no_warmup"]:
        fields["warmup"] = 0
    if path := flags["prompts"]:
        fields["prompts"] = _prompts(path)
        fields.setdefault("runs", len(fields["prompts"]))
    if load := _load(flags):
        fields["load"] = load
    try:
        return BenchmarkSpec(targets=tuple(target.ref for target in targets), **fields)
    except ValidationError as error:
        raise BadUsage(_sentences(explain(error), len(targets))) from None


def _refuse_together(flags: dict[str, Any]) -> None:
    """BadUsage where a flag would silently have no effect beside another."""
    asked = [_flag(name) for name in ("prompt", "prompts", "synthetic") if flags[name] is not None]
    if len(asked) > 1:
        raise BadUsage(f"{' and '.join(asked)} exclude each other: give one of them.")
    if flags["no_warmup"] and flags["warmup"]:
        raise BadUsage("--warmup and --no-warmup exclude each other: give one of them.")
    if flags["rate"] is not None and flags["ramp"]:
        raise BadUsage("--ramp opens the streams of --concurrency; --rate has a plan of its own.")


def _prompts(path: Path) -> tuple[Any, ...]:
    from engine.speed.promptsets import PromptSetError, parse_prompts

    try:
        return parse_prompts(path.read_bytes())
    except OSError as error:
        raise BadUsage(f"--prompts: {path} cannot be read: {error.strerror or error}.") from None
    except PromptSetError as error:
        raise BadUsage(f"--prompts: {path}, {error}") from None


def _load(flags: dict[str, Any]) -> dict[str, Any] | None:
    """The load part of a spec, None without --concurrency and --rate. BadUsage for flags
    that exclude or need each other."""
    closed, rates = flags["concurrency"], flags["rate"]
    if closed is not None and rates is not None:
        raise BadUsage("--concurrency and --rate exclude each other: give one of them.")
    if closed is None and rates is None:
        if needing := [_flag(name) for name in _LOAD_ONLY if flags[name]]:
            asked = " and ".join(needing)
            raise BadUsage(f"{asked}: give --concurrency or --rate with it.")
        return None
    if closed is not None and flags["arrivals"]:
        raise BadUsage("--arrivals spaces the requests of --rate; --concurrency has no rate.")
    if flags["runs"] is not None:
        raise BadUsage("--runs counts sequential requests; a load level takes --requests.")
    if closed is not None and any(level != int(level) for level in closed):
        raise BadUsage("--concurrency: give whole numbers.")
    given = {field: flags[name] for name, field in _LOAD_FIELDS.items() if flags[name] is not None}
    return given | {
        "arrivals": "closed" if closed is not None else flags["arrivals"] or "poisson",
        "levels": closed if closed is not None else rates,
        "stop_at_saturation": not flags["past_saturation"],
        **flags["slo"],
    }


def _flag(name: str) -> str:
    return f"--{name.replace('_', '-')}"


def _sentences(errors: dict[str, str], targets: int) -> str:
    names = {field: _flag(name) for name, field in _FIELDS.items()}
    names |= {name: _flag(name) for name in (*_SWITCHES, "prompts")}
    names |= {f"load.{field}": _flag(name) for name, field in _LOAD_FIELDS.items()}
    names |= {f"load.slo_{name}_ms": f"--slo {name}" for name in _SLOS}
    names |= {"load": "--prompts", "load.levels": "--concurrency or --rate"}
    lines = []
    for path, sentence in errors.items():
        field, _, rest = path.partition(".")
        if field == "load" and rest:
            field = f"load.{rest.split('.', maxsplit=1)[0]}"
        if field == "targets":
            lines.append(f"{targets} models match. {sentence} Narrow --provider or --model.")
        else:
            lines.append(f"{names.get(field, field)}: {sentence}")
    return "\n".join(dict.fromkeys(lines))
