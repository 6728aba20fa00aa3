"""`studio serve` and `studio demo`: programs that run until they are stopped."""

from __future__ import annotations

import click

from webapp.commands.problems import read_settings


@click.command(short_help="Start the pages, workers and the demo provider.")
@click.option("--host", help="Address to listen on; 0.0.0.0 opens it to other machines.")
@click.option("--port", type=click.IntRange(0, 65_535), help="Port of the pages; 0 takes any.")
@click.pass_context
def serve(ctx: click.Context, host: str | None, port: int | None) -> None:
    """Start what `make run` starts, in the foreground: web server, workers, quick checks and
    the demo provider. Ctrl-C stops them.

    HOST, PORT, DEMO_PORT and STUDIO_DATA of the environment or `.env` are the defaults;
    docs/settings.md explains every setting.
    """
    from webapp import supervisor

    ctx.exit(supervisor.serve(read_settings(), host=host, port=port))


@click.command(
    short_help="Start the demo provider alone.",
    add_help_option=False,
    context_settings={"ignore_unknown_options": True},
)
@click.argument("options", nargs=-1, type=click.UNPROCESSED)
@click.pass_context
def demo(ctx: click.Context, options: tuple[str, ...]) -> None:
    """Serve simulated models over the OpenAI API; `studio demo --help` names its options."""
    from engine.demo.__main__ import main

    ctx.exit(main(options))
