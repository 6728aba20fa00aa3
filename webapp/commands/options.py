"""Options that several commands have: one wording, one type."""

from __future__ import annotations

from pathlib import Path

import click

base_url = click.option(
    "--base-url", help="Any OpenAI-compatible endpoint instead, such as http://127.0.0.1:8000/v1."
)
model_id = click.option("--model-id", help="The model's id at --base-url.")
api_key_env = click.option(
    "--api-key-env", help="Environment variable that holds the key for --base-url."
)
retries = click.option("--retries", type=int, help="Repeats after a rate limit  [default: 2]")
timeout = click.option(
    "--timeout", type=float, metavar="SECONDS", help="Limit of one request  [default: 120]"
)
json_file = click.option(
    "--json",
    "json_file",
    metavar="FILE|-",
    help="Write the results as JSON; - is standard output, which then holds nothing else.",
)
config = click.option(
    "--config",
    type=click.Path(path_type=Path),
    envvar="STUDIO_CONFIG",
    help="Configuration to use  [default: ./config.yaml, else the shipped one]",
)
verbose = click.option(
    "--verbose", is_flag=True, help="Log every call to standard error, secrets masked."
)
