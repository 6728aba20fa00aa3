"""`studio bench`: a benchmark in this process, from flags to table and file."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from webapp.commands.problems import BadUsage

if TYPE_CHECKING:
    from engine.config import Defaults
    from engine.specs import BenchmarkSpec
    from engine.targets import Target

# Flags of a later version: refused with a sentence, never ignored.
_REMOTE = ("server", "token")


def _tiers(_ctx: click.Context, _param: click.Parameter, value: str | None) -> list[int] | None:
    """Whole numbers separated by commas; 5K is 5000."""
    if value is None:
        return None
    try:
        return [_whole(part) for part in value.split(",") if part.strip()]
    except ValueError:
        raise click.BadParameter("give tokens separated by commas, such as 0,5000.") from None


def _levels(_ctx: click.Context, _param: click.Parameter, value: str | None) -> list[float] | None:
    """Numbers separated by commas."""
    if value is None:
        return None
    try:
        return [float(part) for part in value.split(",") if part.strip()]
    except ValueError:
        raise click.BadParameter("give numbers separated by commas, such as 1,8,64.") from None


_SLOS = ("ttft", "tpot", "e2e")


def _slo(_ctx: click.Context, _param: click.Parameter, value: str | None) -> dict[str, float]:
    """ "ttft=500,tpot=50" as the SLO fields of a spec."""
    pairs = [part.partition("=") for part in (value or "").split(",") if part.strip()]
    try:
        limits = {name.strip().lower(): float(limit) for name, _, limit in pairs}
    except ValueError:
        limits = {"": 0.0}
    if set(limits) - set(_SLOS):
        raise click.BadParameter("give limits in milliseconds, such as ttft=500,tpot=50,e2e=9000.")
    return {f"slo_{name}_ms": limit for name, limit in limits.items()}


def _whole(text: str) -> int:
    text = text.strip().upper()
    return int(text[:-1]) * 1000 if text.endswith("K") else int(text)


@click.command(short_help="Measure speed and first token of models.")
@click.option(
    "--provider", help="Configured providers whose key or name contains this; comma-separated."
)
@click.option("--model", help="Configured models whose id or name contains this; comma-separated.")
@click.option(
    "--base-url", help="Any OpenAI-compatible endpoint instead, such as http://127.0.0.1:8000/v1."
)
@click.option("--model-id", help="The model's id at --base-url.")
@click.option("--api-key-env", help="Environment variable that holds the key for --base-url.")
@click.option(
    "--runs", type=int, help="Measured requests for each model and context size  [default: 3]"
)
@click.option("--max-tokens", type=int, help="Longest answer in tokens  [default: 512]")
@click.option("--temperature", type=float, help="Sampling temperature  [default: 0.7]")
@click.option("--prompt", help="What is asked.")
@click.option(
    "--context-tiers", callback=_tiers, metavar="N,N", help="Prompt lengths in tokens  [default: 0]"
)
@click.option(
    "--timeout", type=float, metavar="SECONDS", help="Limit of one request  [default: 120]"
)
@click.option("--no-warmup", is_flag=True, help="Leave out the request before the measured ones.")
@click.option("--no-save", is_flag=True, help="Do not write results/<UTC time>.json.")
@click.option(
    "--json",
    "json_file",
    metavar="FILE|-",
    help="Write the results as JSON; - is standard output, which then holds nothing else.",
)
@click.option(
    "--config",
    type=click.Path(path_type=Path),
    envvar="STUDIO_CONFIG",
    help="Configuration to use  [default: ./config.yaml, else the shipped one]",
)
@click.option("--verbose", is_flag=True, help="Log every call to standard error, secrets masked.")
@click.option(
    "--concurrency",
    callback=_levels,
    metavar="N,N",
    help="Load: streams held open at once, one level after another.",
)
@click.option(
    "--rate",
    callback=_levels,
    metavar="R,R",
    help="Load: requests sent each second, whatever the answers do.",
)
@click.option(
    "--arrivals",
    type=click.Choice(["poisson", "constant"]),
    help="Load: how --rate spaces its requests  [default: poisson]",
)
@click.option("--requests", type=int, help="Load: requests of each level.")
@click.option("--duration", type=float, metavar="SECONDS", help="Load: time of each level.")
@click.option(
    "--ramp", type=float, metavar="SECONDS", help="Load: time over which streams are opened."
)
@click.option(
    "--past-saturation", is_flag=True, help="Load: go on when a level adds less than 5 %."
)
@click.option(
    "--slo",
    callback=_slo,
    metavar="ttft=MS,...",
    help="Load: what a good answer keeps to: ttft, tpot, e2e in milliseconds.",
)
@click.option("--server", metavar="URL", help="A Studio elsewhere: not in this version.")
@click.option("--token", help="A Studio elsewhere: not in this version.")
@click.pass_context
def bench(ctx: click.Context, /, **flags: Any) -> None:
    """Measure models from this machine, without server, database or account.

    \b
    studio bench --provider demo
    studio bench --provider anthropic,openai --model haiku,mini --runs 10
    studio bench --base-url http://127.0.0.1:8000/v1 --model-id my-model --json -

    The demo provider needs no key and is started when it does not run. Providers are
    measured in parallel, the models of one provider in turn. Ctrl-C stops and shows what was
    measured so far; a second Ctrl-C leaves at once.

    Exit code: 0 when every request was answered, 1 when some failed, 2 when the flags make no
    sense, 130 after Ctrl-C.
    """
    from webapp.commands import bench_output, bench_run, bench_targets

    _refuse_later(flags)
    destination = bench_output.Destination(flags["json_file"], save=not flags["no_save"])
    with ExitStack() as stack:
        token = stack.enter_context(bench_run.interruptible())
        targets, defaults = bench_targets.choose(flags, stack)
        spec = _spec(flags, targets, defaults)
        if flags["verbose"]:
            stack.enter_context(bench_output.logged_calls(targets))
        outcome = bench_run.measure(spec, targets, token, destination.notes)
    destination.show(outcome)
    ctx.exit(outcome.exit_code)


def _refuse_later(flags: dict[str, Any]) -> None:
    """Refuse what makes no sense together, and what this version cannot do yet."""
    if flags["server"] and flags["api_key_env"]:
        raise BadUsage("--api-key-env and --server exclude each other: a server uses its own keys.")
    if given := [f"--{name}" for name in _REMOTE if flags[name] is not None]:
        raise BadUsage(
            f"{' and '.join(given)}: this version has no API to run benchmarks on a Studio "
            "elsewhere. Leave out --server and --token to measure from this machine."
        )


def _spec(flags: dict[str, Any], targets: list[Target], defaults: Defaults | None) -> BenchmarkSpec:
    """The flags as a spec; what is not given comes from config.yaml, else from the spec."""
    from pydantic import ValidationError

    from engine.specs import BenchmarkSpec, explain

    fields = (
        defaults.model_dump(include={"max_tokens", "temperature", "prompt"}) if defaults else {}
    )
    for flag, field in _FIELDS.items():
        if flags[flag] is not None:
            fields[field] = flags[flag]
    if flags["no_warmup"]:
        fields["warmup"] = 0
    if load := _load(flags):
        fields["load"] = load
    try:
        return BenchmarkSpec(targets=tuple(target.ref for target in targets), **fields)
    except ValidationError as error:
        raise BadUsage(_sentences(explain(error), len(targets))) from None


_LOAD_ONLY = ("arrivals", "requests", "duration", "ramp", "past_saturation", "slo")


def _load(flags: dict[str, Any]) -> dict[str, Any] | None:
    """The load part of a spec, None without --concurrency and --rate. BadUsage for flags
    that exclude or need each other."""
    closed, rates = flags["concurrency"], flags["rate"]
    given = [f"--{name.replace('_', '-')}" for name in _LOAD_ONLY if flags[name]]
    if closed is not None and rates is not None:
        raise BadUsage("--concurrency and --rate exclude each other: give one of them.")
    if closed is None and rates is None:
        if given:
            raise BadUsage(f"{' and '.join(given)}: give --concurrency or --rate with it.")
        return None
    if closed is not None and flags["arrivals"]:
        raise BadUsage("--arrivals spaces the requests of --rate; --concurrency has no rate.")
    if flags["runs"] is not None:
        raise BadUsage("--runs counts sequential requests; a load level takes --requests.")
    if closed is not None and any(level != int(level) for level in closed):
        raise BadUsage("--concurrency: give whole numbers.")
    return {
        "arrivals": "closed" if closed is not None else flags["arrivals"] or "poisson",
        "levels": closed if closed is not None else rates,
        "requests": flags["requests"],
        "duration_s": flags["duration"],
        "ramp_s": flags["ramp"] or 0,
        "stop_at_saturation": not flags["past_saturation"],
        **flags["slo"],
    }


_FIELDS = {
    "runs": "runs",
    "max_tokens": "max_tokens",
    "temperature": "temperature",
    "prompt": "prompt",
    "context_tiers": "context_tiers",
    "timeout": "timeout_s",
}
_LOAD_NAMES = {
    "load.levels": "--concurrency or --rate",
    "load.requests": "--requests",
    "load.duration_s": "--duration",
    "load.ramp_s": "--ramp",
    "load.slo_ttft_ms": "--slo ttft",
    "load.slo_tpot_ms": "--slo tpot",
    "load.slo_e2e_ms": "--slo e2e",
}


def _sentences(errors: dict[str, str], targets: int) -> str:
    names = {field: f"--{flag.replace('_', '-')}" for flag, field in _FIELDS.items()}
    names |= _LOAD_NAMES
    lines = []
    for path, sentence in errors.items():
        field, _, rest = path.partition(".")
        if field == "load":
            field = f"load.{rest.split('.', maxsplit=1)[0]}"
        if field == "targets":
            lines.append(f"{targets} models match. {sentence} Narrow --provider or --model.")
        else:
            lines.append(f"{names.get(field, field)}: {sentence}")
    return "\n".join(dict.fromkeys(lines))
