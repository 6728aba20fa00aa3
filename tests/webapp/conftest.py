"""The application and its cast: Alice owns things, Bob administers, Charlie must see
nothing, and nobody is signed in."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from jinja2 import FileSystemBytecodeCache
from werkzeug.routing import Rule
from werkzeug.test import TestResponse

from webapp import create_app, db
from webapp.models import User
from webapp.settings import Settings

HTMX = {"HX-Request": "true"}


@dataclass(frozen=True)
class Person:
    """A signed-in user with a browser of their own."""

    user: User
    client: FlaskClient

    def get(self, url: str, **options: Any) -> TestResponse:
        return self.client.get(url, **options)

    def post(self, url: str, **options: Any) -> TestResponse:
        return self.client.post(url, **options)


@pytest.fixture(scope="session")
def empty_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file with the schema and nothing else; copying it is faster than migrating."""
    settings = Settings(data=tmp_path_factory.mktemp("schema"))
    db.open_database(settings)
    with db.connection():
        db.database.execute_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    return settings.database_path


@pytest.fixture(scope="session")
def compiled_templates(tmp_path_factory: pytest.TempPathFactory) -> FileSystemBytecodeCache:
    """Each template is compiled once for all applications, which was a third of the time."""
    return FileSystemBytecodeCache(str(tmp_path_factory.mktemp("templates")))


@pytest.fixture(scope="session", autouse=True)
def compiled_addresses() -> Iterator[None]:
    """The code that builds an address is written once for all applications: three quarters
    of the time that one takes to start."""
    write = Rule._compile_builder
    written: dict[tuple[Any, ...], Any] = {}

    def once(self: Rule, append_unknown: bool = True) -> Any:
        key = (self.rule, self.subdomain, self.host, str(self.defaults), append_unknown)
        if key not in written:
            written[key] = write(self, append_unknown)
        return written[key]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Rule, "_compile_builder", once)
        yield


@pytest.fixture
def app(
    settings: Settings, empty_database: Path, compiled_templates: FileSystemBytecodeCache
) -> Iterator[Flask]:
    """The application on an empty database, which stays open for the test's own queries.

    Forms need no CSRF token here; tests/webapp/test_security.py asks for them.
    """
    if not settings.database_path.exists():
        settings.data.mkdir(parents=True, exist_ok=True)
        shutil.copy(empty_database, settings.database_path)
    app = create_app(settings)
    app.config["WTF_CSRF_ENABLED"] = False
    app.jinja_env.bytecode_cache = compiled_templates
    with db.connection():
        yield app


@pytest.fixture
def nobody(app: Flask) -> FlaskClient:
    """A stranger's browser."""
    return app.test_client()


@pytest.fixture
def alice(app: Flask) -> Person:
    return sign_in(app, "alice@example.org")


@pytest.fixture
def bob(app: Flask) -> Person:
    return sign_in(app, "bob@example.org", is_admin=True)


@pytest.fixture
def charlie(app: Flask) -> Person:
    return sign_in(app, "charlie@example.org")


def sign_in(app: Flask, email: str, **fields: Any) -> Person:
    """A new user without password or providers, and a browser that is signed in."""
    user = User.create(email=email, password_hash="!", **fields)
    client = app.test_client()
    with client.session_transaction() as session:
        session["_user_id"], session["_fresh"] = user.get_id(), True
    return Person(user, client)
