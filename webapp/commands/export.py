"""`studio export`: a stored run as a file."""

from __future__ import annotations

from pathlib import Path

import click

from webapp.commands.problems import Failure, installation


@click.command(short_help="Write a stored run as JSON or CSV.")
@click.argument("run", type=int)
@click.option(
    "--format",
    "form",
    type=click.Choice(("json", "csv")),
    default="json",
    show_default=True,
    help="JSON with every sample, or CSV with one line a result.",
)
@click.option(
    "-o",
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    help="File to write; standard output when left out.",
)
def export(run: int, form: str, output: Path | None) -> None:
    """Write the stored run number RUN: the same document that its page offers and that
    `studio bench --json` writes."""
    from engine.report import to_csv, to_json
    from jobs.results import run_document, run_results
    from webapp.models import Run

    with installation():
        row = Run.get_or_none((Run.id == run) & Run.deleted_at.is_null())
        if row is None:
            raise Failure(f"There is no run {run}; the number stands in the address of its page.")
        text = to_json(run_document(row)) if form == "json" else to_csv(run_results(row))
    if output is None:
        click.echo(text, nl=False)
        return
    try:
        output.write_text(text, encoding="utf-8", newline="")
    except OSError as error:
        raise Failure(f"{output} cannot be written: {error.strerror}.") from error
    click.echo(f"Saved {output}.", err=True)
