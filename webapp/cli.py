"""`studio`: the command line.

Local commands (`bench`, `tools`) run the engine in their own process and touch neither
database, data folder nor `.env`; the others act on the installation that STUDIO_DATA names. The
same commands hang on the application, for `flask --app wsgi`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import click
from flask.cli import FlaskGroup, routes_command, shell_command

from webapp import create_app
from webapp.commands.bench import bench
from webapp.commands.database import db
from webapp.commands.export import export
from webapp.commands.keys import keys
from webapp.commands.servers import demo, serve
from webapp.commands.tools import tools
from webapp.commands.users import user

if TYPE_CHECKING:
    from flask import Flask

COMMANDS: tuple[click.Command, ...] = (bench, tools, demo, serve, export, user, db, keys)


class StudioGroup(FlaskGroup):
    """A FlaskGroup that knows all its commands without building the application, which
    would make a data folder for `studio --help`."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self.commands)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        return self.commands.get(name)


cli = StudioGroup(
    name="studio",
    help=(
        "Measure LLM providers: how fast, how steady, how dear.\n\n"
        "Try `studio bench --provider demo`, which needs no key, or `studio serve` for the "
        "pages. Each command explains itself with --help."
    ),
    create_app=create_app,
    add_default_commands=False,
    add_version_option=False,
    load_dotenv=False,
    context_settings={"auto_envvar_prefix": None, "help_option_names": ["-h", "--help"]},
)
# The options a FlaskGroup brings choose an application; there is only this one.
cli.params.clear()
for command in (*COMMANDS, routes_command, shell_command):
    cli.add_command(command)


def init_app(app: Flask) -> None:
    """Give the application the commands, so that `flask --app wsgi bench ...` works."""
    for item in COMMANDS:
        app.cli.add_command(item)


def main() -> None:
    """The `studio` script."""
    cli.main(prog_name="studio")
