"""`studio db`: schema, backup and restore."""

from __future__ import annotations

import time
from pathlib import Path

import click

from webapp.commands.problems import Failure, installation, read_settings


@click.group(short_help="Upgrade, back up or restore the database.")
def db() -> None:
    """The database of this installation (studio.db in STUDIO_DATA, or DATABASE_URL)."""


@db.command(short_help="Bring the schema up to date.")
def upgrade() -> None:
    """Apply pending migrations. A starting server does the same by itself."""
    from webapp import db as database

    settings = read_settings()
    database.open_database(settings, migrate=False)
    applied = database.upgrade()
    for name in applied:
        click.echo(f"Applied {name}.")
    click.echo(f"{settings.database_path} is up to date.")


@db.command(short_help="Copy the database while it is in use.")
@click.argument("file", required=False, type=click.Path(dir_okay=False, path_type=Path))
def backup(file: Path | None) -> None:
    """Write a consistent copy to FILE (default: backups/<UTC time>.db in STUDIO_DATA), also
    while the server runs. Keep the secrets of STUDIO_DATA (`.fernet_key`, `.secret_key`)
    apart from it: without FERNET_KEY the stored provider keys cannot be read."""
    from webapp import backups

    with installation() as settings:
        stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
        target = file or settings.data / "backups" / f"{stamp}.db"
        try:
            backups.save(settings.database_path, target)
        except backups.BackupError as error:
            raise Failure(str(error)) from error
    click.echo(f"Saved {target} ({target.stat().st_size / 1e6:,.1f} MB).")


@db.command(short_help="Replace the database by a backup.")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--yes", is_flag=True, help="Do not ask.")
def restore(file: Path, yes: bool) -> None:
    """Replace the database by the backup FILE, whose integrity is checked first. The server
    must be stopped. What is replaced stays beside it as studio.db.before-<UTC time>."""
    from webapp import backups
    from webapp import db as database

    settings = read_settings()
    if not yes:
        click.confirm(f"Replace {settings.database_path} by {file}?", abort=True)
    try:
        kept = backups.restore(file, settings)
    except backups.BackupError as error:
        raise Failure(str(error)) from error
    database.open_database(settings)
    click.echo(f"Restored {settings.database_path} from {file}.")
    if kept is not None:
        click.echo(f"The database it replaced is {kept}.")
