"""How commands refuse: one sentence on standard error and an exit code."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from webapp.settings import Settings


class Failure(click.ClickException):
    """It was asked rightly and did not work: exit code 1."""


class BadUsage(click.ClickException):
    """What was asked makes no sense, or not yet: exit code 2."""

    exit_code = 2


@contextmanager
def installation() -> Iterator[Settings]:
    """Settings and open database of the installation that the environment and `.env` name,
    its schema up to date. A bad setting or config.yaml is a BadUsage."""
    from webapp import db

    settings = read_settings()
    db.open_database(settings)
    with db.connection():
        yield settings


def read_settings() -> Settings:
    """The settings alone, without opening the database; a bad one is a BadUsage."""
    from webapp.settings import Settings, SettingsError

    try:
        return Settings.from_env()
    except SettingsError as error:
        raise BadUsage(str(error)) from error
