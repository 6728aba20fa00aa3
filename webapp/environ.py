"""Readers of single environment variables: each answers with the real type or refuses the
value by the variable's name."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path


class SettingsError(Exception):
    """A setting has a value that cannot be used; the message names it and what is allowed."""


LEVELS = ("debug", "info", "warning", "error", "critical")
_YES, _NO = ("1", "true", "yes", "on"), ("0", "false", "no", "off")

# Read by later versions; saying so is better than a setting that is quietly ignored.
_NO_EFFECT_YET = {
    "CORS_ORIGINS": "no other site may call this one",
    "REDIS_URL": "the queue is a SQLite file in STUDIO_DATA",
    "SMTP_": "no mail is sent",
}


def environment() -> dict[str, str]:
    """The variables of `.env` in the working directory and of this process, which win."""
    from dotenv import dotenv_values

    file = {k: v for k, v in dotenv_values(".env").items() if v is not None}
    return {**file, **os.environ}


def without_effect(env: Mapping[str, str]) -> Iterator[str]:
    """A sentence for each variable that is set and that nothing reads."""
    for prefix, fact in _NO_EFFECT_YET.items():
        for name in sorted(n for n in env if n.startswith(prefix) and env[n])[:1]:
            yield f"{name} is set but has no effect yet: {fact}."


def integer(env: Mapping[str, str], name: str, default: int, low: int, high: int) -> int:
    raw = (env.get(name) or str(default)).strip()
    is_number = raw.isascii() and raw.isdigit() and len(raw) < 10
    if not is_number or not low <= int(raw) <= high:
        raise SettingsError(f"{name} is {raw!r}; give a whole number from {low} to {high}.")
    return int(raw)


def flag(env: Mapping[str, str], name: str, default: bool) -> bool:
    raw = (env.get(name) or "").strip().lower()
    if raw not in ("", *_YES, *_NO):
        raise SettingsError(f"{name} is {raw!r}; give true or false.")
    return default if raw == "" else raw in _YES


def choice(env: Mapping[str, str], name: str, default: str, allowed: tuple[str, ...]) -> str:
    raw = (env.get(name) or default).strip().lower()
    if raw not in allowed:
        raise SettingsError(f"{name} is {raw!r}; give one of {', '.join(allowed)}.")
    return raw


def email(env: Mapping[str, str], name: str) -> str:
    raw = env.get(name, "").strip()
    if raw and not re.fullmatch(r"[^@\s]+@[^@\s]+", raw):
        raise SettingsError(f"{name} is {raw!r}; give an e-mail address.")
    return raw


def admin_password(env: Mapping[str, str]) -> str:
    raw = env.get("ADMIN_PASSWORD", "")
    if raw and len(raw) < 10:
        raise SettingsError("ADMIN_PASSWORD is too short; give at least 10 characters.")
    if raw and not env.get("ADMIN_EMAIL"):
        raise SettingsError("ADMIN_PASSWORD is set without ADMIN_EMAIL; give both or neither.")
    return raw


def file(env: Mapping[str, str], name: str) -> Path | None:
    if not (raw := env.get(name)):
        return None
    if not Path(raw).is_file():
        raise SettingsError(f"{name} is {raw!r}, where no file is; give the path of a YAML file.")
    return Path(raw).absolute()


def sqlite_path(env: Mapping[str, str], name: str) -> Path | None:
    """`sqlite:///relative`, `sqlite:////absolute` or a plain path."""
    raw = env.get(name, "").strip()
    path = raw.removeprefix("sqlite:///")
    if "://" in path or path == ":memory:" or (raw and not path):
        scheme = raw.partition("://")[0]
        raise SettingsError(
            f"{name} names {scheme!r}; this version stores in SQLite only: give "
            "sqlite:///path/to/file.db, or leave it empty for studio.db in STUDIO_DATA."
        )
    return Path(path).absolute() if path else None
