"""`studio tools export`: a suite as files of another format."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from webapp.commands.problems import BadUsage, Failure, installation
from webapp.commands.tools_import import FORMATS, account, read_suite, write_file

if TYPE_CHECKING:
    from engine.tools.io import Exported
    from engine.tools.suites import Suite


@click.command(short_help="Write a suite in another format.")
@click.argument("suite")
@click.option(
    "--format", "form", type=click.Choice(FORMATS), default="studio", show_default=True,
    help="What to write.",
)  # fmt: skip
@click.option("--out", type=click.Path(path_type=Path), help="File to write, or a folder.")
@click.option("--user", help="SUITE is the number of a suite of this account.")
def export(suite: str, form: str, out: Path | None, user: str | None) -> None:
    """Write SUITE, a file of any known format or, with --user, the number of a stored suite,
    in another format.

    \b
    studio tools export suite.json --format bfcl --out bfcl/
    studio tools export 12 --user alice@example.org --out suite.json

    BFCL has two files, so --out names a folder. Cases that a format cannot say are left out,
    each with the reason on standard error.
    """
    from engine.tools.io import export_suite

    found = _stored(suite, user) if user else _read(suite)
    made = export_suite(found, form)
    for item in made.left_out:
        click.echo(f"{item.case}: {item.reason}", err=True)
    if made.left_out and form == "bfcl":
        click.echo(f"Left out: {len(made.left_out)} of {len(found.cases)} cases.", err=True)
    _written(made, out)


def _read(suite: str) -> Suite:
    path = Path(suite)
    if not path.is_file():
        raise BadUsage(f"There is no file {suite}; with --user, SUITE is a suite's number.")
    return read_suite((path,)).suite


def _stored(number: str, email: str) -> Suite:
    from webapp.models import SuiteRow
    from webapp.tools import store

    with installation():
        wanted = SuiteRow.id == (int(number) if number.isdecimal() and len(number) < 10 else 0)
        mine = (SuiteRow.user == account(email)) & SuiteRow.deleted_at.is_null()
        row = SuiteRow.get_or_none(wanted & mine)
        if row is None:
            raise Failure(f"{email} has no suite {number}; the number stands in its address.")
        return store.suite_of(store.latest(row))


def _written(made: Exported, out: Path | None) -> None:
    if not made.files:
        raise Failure("Nothing of this suite can be said in that format.")
    if len(made.files) == 1 and out is None:
        click.echo(next(iter(made.files.values())), nl=False)
        return
    if out is None:
        names = " and ".join(made.files)
        raise BadUsage(f"This makes {len(made.files)} files ({names}): give --out a folder.")
    if len(made.files) == 1 and not out.is_dir():
        targets = {out: next(iter(made.files.values()))}
    else:
        try:
            out.mkdir(exist_ok=True)
        except OSError as error:
            raise Failure(f"{out} cannot be made: {error.strerror}.") from error
        targets = {out / name: text for name, text in made.files.items()}
    for path, text in targets.items():
        write_file(path, text)
        click.echo(f"Saved {path}.", err=True)
