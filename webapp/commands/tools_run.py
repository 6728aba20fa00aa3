"""`studio tools run`: an evaluation in this process, from flags to table and exit code."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from webapp.commands import options
from webapp.commands.problems import BadUsage

if TYPE_CHECKING:
    from engine.specs import ToolEvalSpec
    from engine.targets import Target
    from engine.tools.io import Source
    from engine.tools.suites import Suite

# Flags that are a field of the spec.
_FIELDS = {
    "trials": "trials",
    "threshold": "threshold",
    "mode": "mode",
    "tool_choice": "tool_choice",
    "max_tokens": "max_tokens",
    "temperature": "temperature",
    "timeout": "timeout_s",
    "retries": "retries",
    "concurrency": "concurrency",
    "seed": "seed",
}


@click.command(short_help="Run a suite against models; exit 1 when a threshold is missed.")
@click.option(
    "--suite",
    "suite_file",
    type=click.Path(path_type=Path),
    required=True,
    metavar="FILE",
    help="The suite: the studio's own JSON, or another format that can be imported.",
)
@click.option(
    "--answers",
    "answers_file",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Possible answers, where a suite in BFCL's format has them in a file of their own.",
)
@click.option(
    "--target",
    "named",
    multiple=True,
    metavar="PROVIDER/MODEL",
    help="A configured model; may be given several times. demo/… needs nothing.",
)
@options.base_url
@options.model_id
@options.api_key_env
@click.option("--case", "cases", multiple=True, metavar="ID", help="Only this case; repeatable.")
@click.option("--trials", type=int, help="Independent tries of each case  [default: 1]")
@click.option(
    "--threshold",
    type=float,
    metavar="X",
    help="Share of a case's trials that must pass, such as 0.8 for 8 of 10  [default: 1]",
)
@click.option(
    "--mode",
    type=click.Choice(["studio", "bfcl", "schema", "state"]),
    help="How answers are scored  [default: studio]",
)
@click.option(
    "--tool-choice",
    type=click.Choice(["auto", "required", "none", "named"]),
    help="Whether models must call a tool  [default: auto]",
)
@click.option("--count-recovered", is_flag=True, help="Calls written as plain text count.")
@click.option(
    "--embedding", metavar="PROVIDER/MODEL", help="Embedding model that semantic matchers ask."
)
@click.option(
    "--judge", metavar="PROVIDER/MODEL", help="Model they ask where there is no embedding model."
)
@click.option("--max-tokens", type=int, help="Longest answer in tokens  [default: 1024]")
@click.option("--temperature", type=float, help="Sampling temperature  [default: 0]")
@options.timeout
@options.retries
@click.option("--concurrency", type=int, help="Requests open at once at a provider  [default: 4]")
@click.option("--seed", type=int, help="Decides the order  [default: 1]")
@options.json_file
@options.config
@options.verbose
@click.pass_context
def run(ctx: click.Context, /, **flags: Any) -> None:
    """Run a suite of tool calling against models, without server, database or account.

    \b
    studio tools run --suite suite.json --target demo/fast-small
    studio tools run --suite suite.json --target openai/gpt-5-mini --trials 10 --threshold 0.8
    studio tools run --suite suite.json --base-url http://127.0.0.1:8000/v1 --model-id m --json -

    A case reaches its threshold when that share of its scored trials pass; a case's own trials
    and threshold in the suite go first. Requests that failed are infrastructure errors: they
    are listed and count in no rate, and a case without any score misses its threshold.

    Exit code: 0 when every case of every model reached its threshold, 1 when one missed it,
    2 when the flags or the suite make no sense, 130 after Ctrl-C.
    """
    from webapp.commands import bench_output, bench_run, tools_output, tools_targets

    destination = bench_output.Destination(flags["json_file"], save=False)
    suite = read_suite(flags)
    with ExitStack() as stack:
        token = stack.enter_context(bench_run.interruptible())
        targets = tools_targets.choose(flags, stack)
        spec = _spec(flags, targets, suite)
        if flags["verbose"]:
            stack.enter_context(bench_output.logged_calls(targets))
        similarity = tools_targets.asked_about_meaning(flags, token, spec)
        outcome = tools_output.follow(spec, suite, targets, token, destination.notes, similarity)
    tools_output.show(outcome, destination)
    ctx.exit(outcome.exit_code)


def read_suite(flags: dict[str, Any]) -> Suite:
    """The suite of a file in any known format; BadUsage names line and reason."""
    from engine.tools.io import ImportProblem
    from engine.tools.io.recorded import NO_ANSWER, load_suite
    from engine.tools.schemas import problems_of

    path, answers = flags["suite_file"], flags["answers_file"]
    try:
        loaded = load_suite(
            _source("--suite", path), _source("--answers", answers) if answers else None
        )
        suite = loaded.suite
    except ImportProblem as error:
        raise BadUsage(f"--suite: {error}") from None
    if loaded.unanswered and flags["mode"] != "schema":
        raise BadUsage(f"--suite: {min(loaded.unanswered)} {NO_ANSWER}.")
    for place, sentence in problems_of(suite, similarity=_asks_about_meaning(flags)).items():
        raise BadUsage(f"--suite: {path}, {place}: {sentence}")
    return suite


def _asks_about_meaning(flags: dict[str, Any]) -> bool:
    return bool(flags["embedding"] or flags["judge"])


def _source(flag: str, path: Path) -> Source:
    from engine.tools.io import Source

    try:
        return Source(path.name, path.read_bytes())
    except OSError as error:
        raise BadUsage(f"{flag}: {path} cannot be read: {error.strerror or error}.") from None


def _spec(flags: dict[str, Any], targets: list[Target], suite: Suite) -> ToolEvalSpec:
    """The flags as a spec; BadUsage with a sentence for each flag that does not fit."""
    from pydantic import ValidationError

    from engine.specs import ToolEvalSpec, explain
    from engine.tools.plan import CannotRun, cases_of, check_scorable

    fields = {name: flags[flag] for flag, name in _FIELDS.items() if flags[flag] is not None}
    try:
        spec = ToolEvalSpec(
            targets=tuple(target.ref for target in targets),
            cases=flags["cases"],
            count_recovered=flags["count_recovered"],
            **fields,
        )
        if not cases_of(spec, suite):
            raise BadUsage(f"--suite: {flags['suite_file']} has no cases to run.")
        check_scorable(spec, suite, similarity=_asks_about_meaning(flags))
    except CannotRun as error:
        raise BadUsage(str(error)) from None
    except ValidationError as error:
        names = {field: f"--{flag.replace('_', '-')}" for flag, field in _FIELDS.items()}
        lines = [f"{names.get(path, path)}: {text}" for path, text in explain(error).items()]
        raise BadUsage("\n".join(lines)) from None
    return spec
