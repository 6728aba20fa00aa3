"""`studio tools`: suites of tool calling; one module a command."""

from __future__ import annotations

from pathlib import Path
from typing import BinaryIO

import click

from webapp.commands.tools_export import export
from webapp.commands.tools_import import import_
from webapp.commands.tools_run import run

FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.group(short_help="Run suites of tool calling, score, import and export.")
def tools() -> None:
    """Suites of tool calling: run them against models, score what was recorded, import, export."""


tools.add_command(run)
tools.add_command(import_)
tools.add_command(export)


@tools.command(short_help="Score recorded calls against a suite.")
@click.option(
    "--suite", required=True, type=FILE, help="The Studio's own JSON, or BFCL's JSON lines."
)
@click.option("--answers", type=FILE, help="BFCL's possible answers, JSON lines.")
@click.option(
    "--calls",
    required=True,
    type=click.File("rb"),
    metavar="FILE|-",
    help='JSON lines {"id", "calls": [{"name", "arguments"}]}; null for what could not be read.',
)
@click.option(
    "--mode",
    type=click.Choice(["studio", "bfcl", "schema"]),
    default="studio",
    show_default=True,
    help="Whose rules: the Studio's, the leaderboard's, or the schemas' alone.",
)
@click.option(
    "--json",
    "json_file",
    metavar="FILE|-",
    help="Write a JSON line for each line of calls; - is standard output.",
)
def score(
    suite: Path, answers: Path | None, calls: BinaryIO, mode: str, json_file: str | None
) -> None:
    """Score recorded calls without asking a model.

    \b
    studio tools score --suite suite.json --calls calls.jsonl
    studio tools score --suite BFCL_v4_parallel.json --answers possible_answer.json \\
        --calls calls.jsonl --mode bfcl --json -

    Works in any directory, without database or configuration. Exit code: 0 whatever the
    verdicts, 2 when a file cannot be read; then the line and the reason are told.
    """
    from webapp.commands import tools_score

    tools_score.score(suite, answers, calls, mode, json_file)
