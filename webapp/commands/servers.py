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


@click.command(short_help="Start the demo provider alone.")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option(
    "--port",
    type=click.IntRange(0, 65_535),
    envvar="DEMO_PORT",
    default=8502,
    show_default=True,
    help="Port; 0 takes any. DEMO_PORT is the default where set.",
)
@click.option("--truth", help="Append one JSON line a request, with its true send times.")
@click.option(
    "--seed", type=int, default=1, show_default=True, help="Decides pace, answers and faults."
)
@click.pass_context
def demo(ctx: click.Context, /, **options: object) -> None:
    """Serve simulated models over the OpenAI API until Ctrl-C: no key, no cost, known pace."""
    from engine.demo.__main__ import main

    given = [(f"--{name}", str(value)) for name, value in options.items() if value is not None]
    ctx.exit(main([word for pair in given for word in pair]))
