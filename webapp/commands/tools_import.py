"""`studio tools import`: files, or an MCP server, become a suite."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from webapp.commands.problems import BadUsage, Failure, installation

if TYPE_CHECKING:
    from engine.tools.io import Imported
    from engine.tools.mcp import Transport
    from engine.tools.suites import Suite
    from webapp.models import User

FORMATS = ("studio", "bfcl", "openai")


@click.command("import", short_help="Turn files or an MCP server's tools into a suite.")
@click.argument("files", nargs=-1, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--format", "form", type=click.Choice(FORMATS), help="Their format; found out when left out."
)
@click.option("--name", default="", help="Name of the suite  [default: the file's own]")
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="File to write.")
@click.option("--user", help="E-mail address of the account to store the suite for.")
@click.option("--mcp", metavar="URL", help="List the tools of this MCP server instead of files.")
@click.option(
    "--transport",
    type=click.Choice(("auto", "http", "sse")),
    default="auto",
    show_default=True,
    help="How the MCP server is spoken to.",
)
@click.option("--header", multiple=True, metavar="'NAME: VALUE'", help="Header for --mcp.")
@click.option("--pick", default="", metavar="NAME,NAME", help="Tools to take of --mcp.")
@click.option("--no-starters", is_flag=True, help="With --mcp: tools alone, without cases.")
def import_(
    files: tuple[Path, ...],
    form: str | None,
    name: str,
    out: Path | None,
    user: str | None,
    **mcp: Any,
) -> None:
    """Turn FILES into a suite of the Studio: its own JSON, BFCL's questions with their
    possible answers, or tools as OpenAI takes them.

    \b
    studio tools import questions.json possible_answers.json --name BFCL --out suite.json
    studio tools import tools.json --user alice@example.org
    studio tools import --mcp https://example.org/mcp --out suite.json

    The suite goes to standard output, to --out, or into the account of --user. What is wrong
    with a file is said with its line, and then nothing is written.
    """
    if bool(files) == bool(mcp["mcp"]):
        raise BadUsage("Give files to import, or --mcp with the URL of a server.")
    if out is not None and user:
        raise BadUsage("Give --out for a file or --user for an account, not both.")
    imported = (
        _from_server(name, **mcp) if mcp["mcp"] else read_suite(files, form, name, check=True)
    )
    for note in imported.notes:
        click.echo(note, err=True)
    suite = imported.suite
    if user:
        click.echo(_stored(suite, user), err=True)
    elif out is None:
        click.echo(_text(suite), nl=False)
    else:
        write_file(out, _text(suite))
        click.echo(f"Saved {out}: {_size(suite)}.", err=True)


def write_file(path: Path, text: str) -> None:
    """Write a file as UTF-8. Raises Failure."""
    try:
        path.write_text(text, encoding="utf-8", newline="")
    except OSError as error:
        raise Failure(f"{path} cannot be written: {error.strerror}.") from error


def read_suite(
    files: tuple[Path, ...], form: str | None = None, name: str = "", *, check: bool = False
) -> Imported:
    """The suite in files, with `check` one that can be saved. Raises Failure with file, line
    and reason."""
    from engine.tools.io import ImportProblem, Source, import_suite

    try:
        sources = [Source(file.name, file.read_bytes()) for file in files]
        return import_suite(sources, form=form, name=name, check=check)
    except OSError as error:
        raise Failure(f"{error.filename} cannot be read: {error.strerror}.") from error
    except ImportProblem as error:
        raise Failure(str(error)) from error


def _from_server(
    name: str,
    *,
    mcp: str,
    transport: Transport,
    header: tuple[str, ...],
    pick: str,
    no_starters: bool,
) -> Imported:
    from engine.tools.io import Imported
    from engine.tools.mcp import McpProblem, McpServer, list_tools
    from engine.tools.starters import suite_of

    server = McpServer(mcp, transport, _headers(header), allow_private=True)
    try:
        found = list_tools(server)
    except McpProblem as error:
        raise Failure(str(error)) from error
    picked = [word.strip() for word in pick.split(",") if word.strip()]
    if unknown := set(picked) - {tool.name for tool in found.tools}:
        raise Failure(f"The server lists no tool {min(unknown)!r}.")
    title = (name or found.server or "MCP tools")[:120]
    suite = suite_of(found.tools, title, picked=picked or None, starters=not no_starters)
    return Imported(suite, "mcp")


def _headers(given: tuple[str, ...]) -> dict[str, str]:
    headers: dict[str, str] = {}
    for line in given:
        name, colon, value = line.partition(":")
        if not colon or not name.strip():
            raise BadUsage("Give a header as 'NAME: VALUE'.")
        headers[name.strip()] = value.strip()
    return headers


def _text(suite: Suite) -> str:
    from engine.tools.io.studio import dumps

    return dumps(suite)


def _size(suite: Suite) -> str:
    tools = len(suite.tools) or len({t.name for case in suite.cases for t in case.tools or ()})
    return f"{tools:,} tools, {len(suite.cases):,} cases"


def _stored(suite: Suite, email: str) -> str:
    from webapp.tools import store

    with installation():
        owner = account(email)
        row = store.create(owner, suite, "Imported at the command line")
        return f"“{suite.name}” is suite {row.id} of {owner.email}: {_size(suite)}."


def account(email: str) -> User:
    """The account with that address. Raises Failure; the installation must be open."""
    from webapp.models import User

    found: User | None = User.get_or_none(User.email == email.strip().lower())
    if found is None:
        raise Failure(f"There is no account {email!r}.")
    return found
