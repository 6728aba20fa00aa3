"""Accounts: making them, and who administers."""

from __future__ import annotations

import logging
import re
from typing import TYPE_CHECKING

from peewee import IntegrityError
from werkzeug.security import generate_password_hash

from webapp import catalog, db
from webapp.auth import passwords
from webapp.models import AuditEntry, User

if TYPE_CHECKING:
    from webapp.settings import Settings

log = logging.getLogger(__name__)
EMAIL_MAX = 254
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+")


class AccountError(Exception):
    """What was typed cannot make an account; `errors` is one sentence a field."""

    def __init__(self, errors: dict[str, str]) -> None:
        super().__init__(" ".join(errors.values()))
        self.errors = errors


def normal(email: str) -> str:
    """An address as it is stored and compared."""
    return email.strip().lower()


def check(email: str, password: str) -> None:
    """Raise AccountError when an address or a password cannot be used."""
    errors = {}
    if not _EMAIL.fullmatch(normal(email)) or len(email) > EMAIL_MAX:
        errors["email"] = "Give an e-mail address such as name@example.org."
    if sentence := passwords.weakness(password, normal(email)):
        errors["password"] = sentence
    if errors:
        raise AccountError(errors)


def create(
    settings: Settings,
    email: str,
    password: str,
    is_admin: bool = False,
    registers: bool = False,
) -> User:
    """A new user with config.yaml's providers. Raises AccountError, and
    ConfigError when config.yaml cannot be read.

    Who `registers` becomes an administrator while there is none, or as ADMIN_EMAIL; the
    look and the insert are one write transaction, so of two at once only one is the first.
    """
    check(email, password)
    hashed = generate_password_hash(password)
    try:
        with db.write():
            leads = registers and (
                normal(email) == normal(settings.admin_email)
                or not User.select().where(User.is_admin).exists()
            )
            user = User.create(
                email=normal(email), password_hash=hashed, is_admin=is_admin or leads
            )
            catalog.seed_providers(user, settings)
            AuditEntry.create(user=user, action="account.created")
    except IntegrityError as error:
        if not User.select().where(User.email == normal(email)).exists():
            raise
        sentence = "There is an account with this address already. Sign in instead."
        raise AccountError({"email": sentence}) from error
    return user


def ensure_admin(settings: Settings) -> None:
    """Make the account of ADMIN_EMAIL an administrator; create it when ADMIN_PASSWORD is
    set too. An existing account keeps its password. Raises AccountError."""
    email = normal(settings.admin_email)
    if not email:
        return
    with db.connection():
        if promote(email) or not settings.admin_password:
            return
        try:
            create(settings, email, settings.admin_password, is_admin=True)
        except AccountError:
            if not promote(email):  # no other process created it meanwhile
                raise


def promote(email: str) -> bool:
    """Make an account an administrator; False when there is no such account."""
    with db.write():
        user = User.get_or_none(User.email == normal(email))
        if user is not None and not user.is_admin:
            User.update(is_admin=True).where(User.id == user.id).execute()
            AuditEntry.create(user=user, action="account.promoted")
    return user is not None


def set_password(email: str, password: str) -> bool:
    """Give an account a new password and end all its sessions; False when there is no such
    account. Raises AccountError for a password that is too weak."""
    check(email, password)
    hashed = generate_password_hash(password)
    with db.write():
        user = User.get_or_none(User.email == normal(email))
        if user is not None:
            changed = {"password_hash": hashed, "session_epoch": User.session_epoch + 1}
            User.update(changed).where(User.id == user.id).execute()
            AuditEntry.create(user=user, action="account.password_reset")
    return user is not None
