"""A real web process, and browsers' sockets to it."""

from __future__ import annotations

import base64
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from flask import Flask

from tests.helpers import eventually
from tests.webapp.conftest import Person, sign_in
from tests.webapp.live.browser_socket import BrowserSocket, Closed
from webapp import create_app, db
from webapp.models import User
from webapp.settings import Settings
from webapp.supervisor import commands

ROOT = Path(__file__).parents[3]
_FIRST_ID = re.compile(r'\bid="([^"]+)"')


class Web:
    """The web process as `studio serve` starts it; its database is also the test's."""

    def __init__(self, settings: Settings, log: Path) -> None:
        self.port = settings.port
        self._log = log.open("wb")
        secrets = {"JWT_SECRET": settings.secret_key, "FERNET_KEY": settings.fernet_keys[0]}
        self._process = subprocess.Popen(
            commands(settings)["web"],
            cwd=ROOT,
            env={**os.environ, "STUDIO_DATA": str(settings.data), **secrets},
            stdout=self._log,
            stderr=self._log,
            start_new_session=True,
        )

    def is_up(self) -> bool:
        assert self._process.poll() is None, "the web process ended"
        try:
            with urllib.request.urlopen(
                f"http://127.0.0.1:{self.port}/healthz", timeout=5
            ) as answer:
                return bool(answer.status == 200)
        except (urllib.error.URLError, ConnectionError):
            return False

    def threads(self) -> int:
        """Threads of the process that serves."""
        listed = Path(f"/proc/{self._process.pid}/task/{self._process.pid}/children").read_text()
        return len(list(Path(f"/proc/{listed.split()[0]}/task").iterdir()))

    def end(self) -> None:
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        self._log.close()


class Tab:
    """A browser's tab: the fragments it has been sent, newest last."""

    def __init__(self, port: int, cookie: str, topic: str = "") -> None:
        self._socket = BrowserSocket(port, f"/live?topic={topic}", f"session={cookie}")
        self.received: list[tuple[float, str, str]] = []

    def next(self, timeout_s: float = 5) -> tuple[str, str] | None:
        """The next fragment as (id, html), or None when none comes in time."""
        html = self._socket.receive(timeout_s)
        if html is None:
            return None
        found = _FIRST_ID.search(html)
        assert found is not None, html
        self.received.append((time.perf_counter(), found[1], html))
        return found[1], html

    def read(self, quiet_s: float = 0.4) -> dict[str, str]:
        """Fragments until nothing has come for `quiet_s`, the last of each id."""
        found = {}
        while (fragment := self.next(quiet_s)) is not None:
            found[fragment[0]] = fragment[1]
        return found

    def until(self, text: str, timeout_s: float = 5) -> str:
        """The first fragment that holds `text`."""
        end = time.monotonic() + timeout_s
        while (left := end - time.monotonic()) > 0:
            fragment = self.next(left)
            if fragment is not None and text in fragment[1]:
                return fragment[1]
        raise AssertionError(f"{text!r} did not come within {timeout_s} s")

    def closed_with(self, timeout_s: float = 5) -> int:
        """The code that the server closes this socket with."""
        try:
            while self.next(timeout_s) is not None:
                pass
        except Closed as closed:
            return closed.code
        raise AssertionError(f"the socket is open after {timeout_s} s")

    def close(self) -> None:
        self._socket.close()


OpenTab = Callable[..., Tab]
THREADS = 40


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """One installation for a module: starting a web process takes two seconds."""
    return Settings(
        data=tmp_path_factory.mktemp("live"),
        port=free_port(),
        web_threads=THREADS,
        secret_key="test-secret-key-of-enough-length-0123456789",
        fernet_keys=(base64.urlsafe_b64encode(bytes(32)).decode(),),
        testing=True,
    )


@pytest.fixture(scope="module")
def app(settings: Settings) -> Iterator[Flask]:
    """The test's own view of the installation: rows, and cookies."""
    app = create_app(settings)
    with db.connection():
        yield app


@pytest.fixture(scope="module")
def web(app: Flask, settings: Settings) -> Iterator[Web]:
    with running(settings) as web:
        yield web


@contextmanager
def running(settings: Settings) -> Iterator[Web]:
    """A web process of this installation; what it logged is shown with a failed test."""
    log = settings.data / f"web-{settings.port}.log"
    web = Web(settings, log)
    try:
        eventually(web.is_up, 20, what="the web process")
        yield web
    finally:
        web.end()
        sys.stderr.write(log.read_text())


@pytest.fixture
def alice(app: Flask, request: pytest.FixtureRequest) -> Person:
    """An Alice of each test's own."""
    return sign_in(app, f"alice@{request.node.name}")


@pytest.fixture
def charlie(app: Flask, request: pytest.FixtureRequest) -> Person:
    return sign_in(app, f"charlie@{request.node.name}")


@pytest.fixture
def tab(app: Flask, web: Web) -> Iterator[OpenTab]:
    """Open tabs: `tab(user, "home")`; whatever is open at the end is closed."""
    opened: list[Tab] = []
    signer = app.session_interface.get_signing_serializer(app)  # type: ignore[attr-defined]

    def open_tab(user: User, topic: str = "", port: int = web.port) -> Tab:
        cookie = signer.dumps({"_user_id": user.get_id(), "_fresh": True})
        opened.append(Tab(port, cookie, topic))
        return opened[-1]

    yield open_tab
    for one in opened:
        one.close()
