"""`studio keys`: the key that encrypts the users' provider keys."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import click

from webapp.commands.problems import BadUsage, Failure, installation

if TYPE_CHECKING:
    from webapp.settings import Settings


@click.group(short_help="Rotate the key of the key vault.")
def keys() -> None:
    """The vault that keeps the users' provider keys."""


@keys.command(short_help="Encrypt every stored key with a new vault key.")
def rotate() -> None:
    """Encrypt every stored provider key again with the first Fernet key.

    Where the studio made the Fernet key itself, a new one is made and put in front of the
    old one, which stays readable until the next rotation: a server that still runs with it
    loses nothing. Where FERNET_KEY or FERNET_KEY_FILE is set, put the new key in front of
    the old one there (`FERNET_KEY=new,old`), run this, restart, and then drop the old one.
    """
    from webapp.environ import environment

    env = environment()
    own = env.get("FERNET_KEY") or env.get("FERNET_KEY_FILE")
    with installation() as settings:
        if own and len(settings.fernet_keys) < 2:
            raise BadUsage(
                "FERNET_KEY holds one key, so there is none to change to. Put a new one in "
                "front of it, separated by a comma, and run this again."
            )
        fresh = settings if own else _with_new_key(settings)
        count, unreadable = _encrypt_all(fresh)
    click.echo(
        f"{count} stored {'key is' if count == 1 else 'keys are'} encrypted with the new key."
    )
    click.echo("Restart the server, so that it reads the new key.")
    if unreadable:
        raise Failure(
            f"{len(unreadable)} could not be read with any known key and stay as they were: "
            f"{', '.join(unreadable)}. Their owners have to save them again."
        )


def _with_new_key(settings: Settings) -> Settings:
    """Settings with a new key in front of the present one, both kept in the data folder."""
    from dataclasses import replace

    from cryptography.fernet import Fernet

    chosen = (Fernet.generate_key().decode(), settings.fernet_keys[0])
    _replace_secret(settings.data / ".fernet_key", ",".join(chosen))
    return replace(settings, fernet_keys=(*chosen, *settings.fernet_keys[1:]))


def _replace_secret(path: Path, text: str) -> None:
    """Readers see the old file or the new one, whole, with mode 0600."""
    handle, fresh = tempfile.mkstemp(prefix=path.name, dir=path.parent)
    with os.fdopen(handle, "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    Path(fresh).replace(path)


def _encrypt_all(settings: Settings) -> tuple[int, list[str]]:
    """(keys encrypted anew, "user provider" of those that cannot be read)."""
    from webapp import db, vault
    from webapp.models import ApiKey, AuditEntry

    count, unreadable = 0, []
    with db.write():
        for row in ApiKey.select():
            try:
                token = vault.rotate(settings, row.token)
            except vault.VaultError:
                unreadable.append(f"{row.user.email} {row.provider.key}")
                continue
            ApiKey.update(token=token).where(ApiKey.id == row.id).execute()
            count += 1
        AuditEntry.create(action="vault.rotated", detail=f"{count} keys")
    return count, unreadable
