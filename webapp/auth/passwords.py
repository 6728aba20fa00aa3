"""Which passwords are good enough, and whether one is right."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from werkzeug.security import check_password_hash, generate_password_hash

from webapp.models import User

MIN_CHARS = 10
MAX_CHARS = 1_000
_COMMON = Path(__file__).with_name("common_passwords.txt")


def weakness(password: str, email: str) -> str | None:
    """Why a password is refused, in one sentence, or None."""
    if len(password) < MIN_CHARS:
        return f"Use at least {MIN_CHARS} characters."
    if len(password) > MAX_CHARS:
        return f"Use at most {MAX_CHARS:,} characters."
    lowered = password.lower()
    if lowered in common() or len(set(lowered)) < 4:
        return "This is one of the passwords that are tried first. Choose another."
    if lowered in (email, email.partition("@")[0]):
        return "This is your address. Choose another."
    return None


def owner(email: str, password: str) -> User | None:
    """The user of these two, unless disabled. Takes as long when there is no such user."""
    user = User.get_or_none(User.email == email)
    stored = _nobody() if user is None else user.password_hash
    right = check_password_hash(stored, password[: MAX_CHARS + 1])
    return user if user is not None and right and not user.is_disabled else None


@cache
def common() -> frozenset[str]:
    """The commonest passwords of ten characters and more, in lower case."""
    lines = _COMMON.read_text(encoding="utf-8").splitlines()
    return frozenset(line for line in lines if line and not line.startswith("#"))


@cache
def _nobody() -> str:
    return generate_password_hash("nobody has this password")
