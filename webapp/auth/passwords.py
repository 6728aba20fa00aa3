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


def verify(user: User | None, password: str) -> bool:
    """Whether `password` is `user`'s. Takes as long when there is no such user."""
    stored = user.password_hash if user is not None else _nobody()
    right = check_password_hash(stored, password[:MAX_CHARS])
    return right and user is not None


@cache
def common() -> frozenset[str]:
    """The commonest passwords of ten characters and more, in lower case."""
    lines = _COMMON.read_text(encoding="utf-8").splitlines()
    return frozenset(line for line in lines if line and not line.startswith("#"))


@cache
def _nobody() -> str:
    return generate_password_hash("nobody has this password")
