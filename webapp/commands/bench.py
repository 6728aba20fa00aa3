"""`studio bench`: a benchmark in this process, from flags to table and file."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import Any

import click

from webapp.commands import bench_flags, options
from webapp.commands.problems import BadUsage

# Flags of a later version: refused with a sentence, never ignored.
_REMOTE = ("server", "token")


@click.command(short_help="Measure speed and first token of models.")
@click.option(
    "--provider", help="Configured providers whose key or name contains this; comma-separated."
)
@click.option("--model", help="Configured models whose id or name contains this; comma-separated.")
@options.base_url
@options.model_id
@options.api_key_env
@click.option(
    "--runs", type=int, help="Measured requests for each model and context size  [default: 3]"
)
@click.option("--max-tokens", type=int, help="Longest answer in tokens  [default: 512]")
@click.option(
    "--temperature",
    callback=bench_flags.temperature,
    metavar="X|default",
    help="Sampling temperature; default leaves it to the provider  [default: 0.7]",
)
@click.option("--prompt", help="What is asked.")
@click.option(
    "--prompts",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="A set of prompts instead, in JSON Lines or CSV: prompt and, if wanted, max_tokens.",
)
@click.option(
    "--synthetic",
    callback=bench_flags.lengths,
    metavar="IN:SPREAD,OUT:SPREAD",
    help="Drawn lengths instead of a prompt, in tokens, such as 1000:200,128:32.",
)
@click.option(
    "--context-tiers",
    callback=bench_flags.tiers,
    metavar="N,N",
    help="Prompt lengths in tokens  [default: 0]",
)
@click.option("--cache", type=click.Choice(["cold", "warm"]), help="May a prefix cache answer?")
@click.option("--recall", is_flag=True, help="Hide a fact in the context and ask for it.")
@click.option("--fixed-output", is_flag=True, help="Answers of exactly --max-tokens, if possible.")
@click.option("--budget", type=float, metavar="USD", help="Stop when so much was spent.")
@click.option("--seed", type=int, help="Decides order, lengths and filler  [default: 1]")
@options.retries
@options.timeout
@click.option("--warmup", type=int, help="Requests before the measured ones  [default: 1]")
@click.option("--no-warmup", is_flag=True, help="Leave out the request before the measured ones.")
@click.option("--no-save", is_flag=True, help="Do not write results/<UTC time>.json.")
@options.json_file
@options.config
@options.verbose
@click.option(
    "--concurrency",
    callback=bench_flags.levels,
    metavar="N,N",
    help="Load: streams held open at once, one level after another.",
)
@click.option(
    "--rate",
    callback=bench_flags.levels,
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
    callback=bench_flags.slo,
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
        spec = bench_flags.spec_of(flags, targets, defaults)
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
