"""`studio user`: accounts, for whoever runs the installation."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

import click

from webapp.commands.problems import BadUsage, Failure, installation

if TYPE_CHECKING:
    from webapp.auth.accounts import AccountError


@click.group(short_help="Create accounts, reset passwords.")
def user() -> None:
    """Accounts of this installation."""


@user.command(short_help="Create an account.")
@click.option("--email", required=True, help="Address to sign in with.")
@click.option("--password", help="At least 10 characters; asked for when left out.")
@click.option("--admin", is_flag=True, help="Make the account an administrator.")
def create(email: str, password: str | None, admin: bool) -> None:
    """Create an account. Unlike the first person who registers on the page, it is an
    administrator only with --admin."""
    from engine.config import ConfigError
    from webapp.auth import accounts

    password = password or click.prompt("Password", hide_input=True, confirmation_prompt=True)
    with installation() as settings:
        try:
            made = accounts.create(settings, email, password, is_admin=admin)
        except accounts.AccountError as error:
            raise BadUsage(_by_field(error)) from error
        except ConfigError as error:
            raise BadUsage(str(error)) from error
    click.echo(f"{made.email} can sign in{' as an administrator' if admin else ''}.")


@user.command("reset-password", short_help="Set a new password for an account.")
@click.option("--email", required=True, help="Address of the account.")
@click.option("--password", help="The new password; a random one is made when left out.")
def reset_password(email: str, password: str | None) -> None:
    """Set a new password and end every session of the account. A random password is printed
    once; its owner should change it."""
    from webapp.auth import accounts

    new = password or secrets.token_urlsafe(12)
    with installation():
        try:
            found = accounts.set_password(email, new)
        except accounts.AccountError as error:
            raise BadUsage(_by_field(error)) from error
    if not found:
        raise Failure(f"There is no account with the address {accounts.normal(email)}.")
    click.echo(f"{accounts.normal(email)} has a new password; all its sessions have ended.")
    if password is None:
        click.echo(f"Password: {new}")


def _by_field(error: AccountError) -> str:
    return " ".join(f"--{name}: {sentence}" for name, sentence in error.errors.items())
