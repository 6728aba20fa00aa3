"""Settings of the environment, read once, checked, and refused by name."""

from __future__ import annotations

import ipaddress
import os
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any


class SettingsError(Exception):
    """A setting has a value that cannot be used; the message names it and what is allowed."""


@dataclass(frozen=True, slots=True)
class Settings:
    """All settings. `data` is the folder that holds database, queue, keys and logs."""

    data: Path
    host: str = "127.0.0.1"
    port: int = 8501
    demo_port: int = 8502
    workers: int = 4
    web_threads: int = 256
    log_level: str = "warning"
    log_json: bool = False
    cookie_secure: bool = False
    allow_private_endpoints: bool = True
    admin_email: str = ""
    admin_password: str = ""
    secret_key: str = ""
    fernet_keys: tuple[str, ...] = ()
    config_file: Path | None = None
    testing: bool = False

    @property
    def database_path(self) -> Path:
        return self.data / "studio.db"

    @property
    def queue_path(self) -> Path:
        return self.data / "queue.db"

    @property
    def is_public(self) -> bool:
        """True when the web server listens to more than this machine."""
        return not _is_loopback(self.host)

    def flask_config(self) -> dict[str, Any]:
        """What Flask and its extensions read."""
        return {
            "SECRET_KEY": self.secret_key,
            "TESTING": self.testing,
            "SESSION_COOKIE_HTTPONLY": True,
            "SESSION_COOKIE_SAMESITE": "Lax",
            "SESSION_COOKIE_SECURE": self.cookie_secure,
            "WTF_CSRF_TIME_LIMIT": None,
            "MAX_CONTENT_LENGTH": 16 * 1024 * 1024,
            "MAX_FORM_MEMORY_SIZE": 4 * 1024 * 1024,
            "SOCK_SERVER_OPTIONS": {"ping_interval": 25},
        }

    @classmethod
    def from_env(cls, environ: Mapping[str, str] | None = None) -> Settings:
        """Read the environment (default: `.env` beside the working directory, then
        `os.environ`, which wins). Missing secrets are made once and kept in `data`,
        mode 0600. Raises SettingsError."""
        env = _environ() if environ is None else environ
        data = Path(env.get("STUDIO_DATA") or "data").absolute()
        host = env.get("HOST") or "127.0.0.1"
        config = env.get("STUDIO_CONFIG")
        return cls(
            data=data,
            host=host,
            port=_integer(env, "PORT", 8501, 0, 65_535),
            demo_port=_integer(env, "DEMO_PORT", 8502, 0, 65_535),
            workers=_integer(env, "WORKERS", 4, 1, 64),
            web_threads=_integer(env, "WEB_THREADS", 256, 4, 4_096),
            log_level=_choice(env, "LOG_LEVEL", "warning", _LEVELS),
            log_json=_flag(env, "LOG_JSON", False),
            cookie_secure=_flag(env, "COOKIE_SECURE", False),
            allow_private_endpoints=_flag(env, "ALLOW_PRIVATE_ENDPOINTS", _is_loopback(host)),
            admin_email=env.get("ADMIN_EMAIL", ""),
            admin_password=env.get("ADMIN_PASSWORD", ""),
            secret_key=_secret(env, "JWT_SECRET", data / ".secret_key", secrets.token_urlsafe),
            fernet_keys=tuple(
                _secret(env, "FERNET_KEY", data / ".fernet_key", _new_fernet_key).split(",")
            ),
            config_file=Path(config) if config else None,
        )


_LEVELS = ("debug", "info", "warning", "error", "critical")
_YES, _NO = ("1", "true", "yes", "on"), ("0", "false", "no", "off")


def _environ() -> dict[str, str]:
    from dotenv import dotenv_values

    file = {k: v for k, v in dotenv_values(".env").items() if v is not None}
    return {**file, **os.environ}


def _integer(env: Mapping[str, str], name: str, default: int, low: int, high: int) -> int:
    raw = env.get(name) or str(default)
    if not raw.strip().isdigit() or not low <= int(raw) <= high:
        raise SettingsError(f"{name} is {raw!r}; give a whole number from {low} to {high}.")
    return int(raw)


def _flag(env: Mapping[str, str], name: str, default: bool) -> bool:
    raw = (env.get(name) or "").strip().lower()
    if raw not in ("", *_YES, *_NO):
        raise SettingsError(f"{name} is {raw!r}; give true or false.")
    return default if raw == "" else raw in _YES


def _choice(env: Mapping[str, str], name: str, default: str, allowed: tuple[str, ...]) -> str:
    raw = (env.get(name) or default).strip().lower()
    if raw not in allowed:
        raise SettingsError(f"{name} is {raw!r}; give one of {', '.join(allowed)}.")
    return raw


def _secret(env: Mapping[str, str], name: str, path: Path, make: Callable[[], str]) -> str:
    if env.get(name):
        return env[name]
    if file := env.get(f"{name}_FILE"):
        try:
            return Path(file).read_text().strip()
        except OSError as error:
            raise SettingsError(f"{name}_FILE cannot be read: {error}.") from error
    return _kept_secret(path, make)


def _kept_secret(path: Path, make: Callable[[], str]) -> str:
    """Read a secret made earlier, or make it; safe when several processes start at once."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.exists():
        fresh = path.with_name(f"{path.name}.{os.getpid()}")
        fresh.touch(mode=0o600)
        fresh.write_text(make())
        try:
            os.link(fresh, path)
        except FileExistsError:
            pass
        finally:
            fresh.unlink()
    return path.read_text().strip()


def _new_fernet_key() -> str:
    from cryptography.fernet import Fernet

    return Fernet.generate_key().decode()


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
