"""Settings of the environment, read once, checked, and refused by name."""

from __future__ import annotations

import base64
import binascii
import ipaddress
import os
import secrets
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from webapp import environ as read
from webapp.environ import SettingsError

__all__ = ["Settings", "SettingsError"]


@dataclass(frozen=True, slots=True)
class Settings:
    """All settings. `data` is the folder that holds database, queue, keys and logs;
    `notices` are sentences for whoever starts the program."""

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
    database: Path | None = None
    notices: tuple[str, ...] = ()
    testing: bool = False

    @property
    def database_path(self) -> Path:
        return self.database or self.data / "studio.db"

    @property
    def queue_path(self) -> Path:
        """Beside the database, wherever that is: what is queued belongs to it."""
        return self.database_path.with_name("queue.db")

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
        env = read.environment() if environ is None else environ
        data = Path(env.get("STUDIO_DATA") or "data").absolute()
        host = env.get("HOST") or "127.0.0.1"
        made = _Secrets(env, data, public=not _is_loopback(host))
        settings = cls(
            data=data,
            host=host,
            port=read.integer(env, "PORT", 8501, 0, 65_535),
            demo_port=read.integer(env, "DEMO_PORT", 8502, 0, 65_535),
            workers=read.integer(env, "WORKERS", 4, 1, 64),
            web_threads=read.integer(env, "WEB_THREADS", 256, 4, 4_096),
            log_level=read.choice(env, "LOG_LEVEL", "warning", read.LEVELS),
            log_json=read.flag(env, "LOG_JSON", False),
            cookie_secure=read.flag(env, "COOKIE_SECURE", False),
            allow_private_endpoints=read.flag(env, "ALLOW_PRIVATE_ENDPOINTS", _is_loopback(host)),
            admin_email=read.email(env, "ADMIN_EMAIL"),
            admin_password=read.admin_password(env),
            config_file=read.file(env, "STUDIO_CONFIG"),
            database=read.sqlite_path(env, "DATABASE_URL"),
            secret_key=made.get("JWT_SECRET", ".secret_key", secrets.token_urlsafe, _long_enough),
            fernet_keys=made.fernet_keys(),
        )
        return replace(settings, notices=(*made.notices, *read.without_effect(env)))


class _Secrets:
    """Reads secrets or makes them once, and notes what the operator should know."""

    def __init__(self, env: Mapping[str, str], data: Path, public: bool) -> None:
        self.env, self.data, self.public = env, data, public
        self.notices: list[str] = []

    def get(
        self, name: str, file: str, make: Callable[[], str], check: Callable[[str], str]
    ) -> str:
        """The value of `name`, of the file named by `<name>_FILE`, or of `data/file`."""
        value = self.env.get(name) or self._named_file(name) or self._kept(name, file, make)
        if trouble := check(value):
            raise SettingsError(f"{name} {trouble}")
        return value

    def fernet_keys(self) -> tuple[str, ...]:
        """The first encrypts, any of them decrypts."""
        value = self.get("FERNET_KEY", ".fernet_key", _new_fernet_key, _fernet_trouble)
        return tuple(key.strip() for key in value.split(","))

    def _named_file(self, name: str) -> str:
        if not (file := self.env.get(f"{name}_FILE")):
            return ""
        try:
            value = Path(file).read_text().strip()
        except (OSError, UnicodeDecodeError) as error:
            raise SettingsError(f"{name}_FILE cannot be read: {error}.") from error
        if not value:
            raise SettingsError(f"{name}_FILE names {file!r}, which is empty.")
        return value

    def _kept(self, name: str, file: str, make: Callable[[], str]) -> str:
        path = self.data / file
        try:
            if _make_once(path, make):
                self.notices.append(f"{name} was not set: one was made and is kept in {path}.")
            if self.public:
                self.notices.append(
                    f"{name} is kept in {path} while HOST is open to other machines: "
                    f"set {name} or {name}_FILE to keep it apart from the data."
                )
            return path.read_text().strip()
        except OSError as error:
            raise SettingsError(
                f"STUDIO_DATA is {str(self.data)!r}, which fails: {error}."
            ) from error


def _make_once(path: Path, make: Callable[[], str]) -> bool:
    """Write a new secret to `path` unless there is one; True when this call made it.

    A link appears whole or not at all, so several processes may start at once."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    if path.exists():
        return False
    handle, fresh = tempfile.mkstemp(prefix=path.name, dir=path.parent)  # mode 0600
    with os.fdopen(handle, "w") as file:
        file.write(make())
    try:
        os.link(fresh, path)
    except FileExistsError:
        return False
    finally:
        Path(fresh).unlink()
    return True


def _long_enough(value: str) -> str:
    return "" if len(value) >= 32 else "is too short; give at least 32 random characters."


def _fernet_trouble(value: str) -> str:
    for key in value.split(","):
        try:
            raw = base64.urlsafe_b64decode(key.strip())
        except (binascii.Error, ValueError):
            raw = b""
        if len(raw) != 32:
            return "is not a Fernet key; give 32 random bytes in URL-safe base64 (44 characters)."
    return ""


def _new_fernet_key() -> str:
    return base64.urlsafe_b64encode(secrets.token_bytes(32)).decode()


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
