"""Who may open the socket: refusals come before the handshake, with a status."""

from __future__ import annotations

import logging

import pytest
from flask.testing import FlaskClient
from simple_websocket import ConnectionClosed
from werkzeug.test import TestResponse

from tests.webapp.conftest import Person
from webapp.live import topics
from webapp.live.hub import Hub
from webapp.live.socket import TRY_AGAIN, serve
from webapp.live.topics import Topic, parse
from webapp.models import User

SOCKET = {"Upgrade": "websocket", "Connection": "Upgrade"}
OURS = "http://localhost"


def knock(client: FlaskClient, topic: str = "", origin: str | None = OURS) -> TestResponse:
    headers = {**SOCKET, **({} if origin is None else {"Origin": origin})}
    return client.get(f"/live?topic={topic}", headers=headers)


def test_a_stranger_gets_401(nobody: FlaskClient) -> None:
    assert knock(nobody).status_code in (303, 401)
    assert knock(nobody).headers.get("Location", "/login").startswith("/login")


@pytest.mark.parametrize(
    "origin", [None, "", "null", "http://localhost.example.org", "http://localhost:1", "localhost"]
)
def test_another_sites_page_gets_403(alice: Person, origin: str | None) -> None:
    assert knock(alice.client, origin=origin).status_code == 403


@pytest.mark.parametrize(
    "topic", ["nothing", "nothing:1", "home:x", "home:1", ":1", "run", "run:x"]
)
def test_a_topic_that_is_not_there_gets_404(alice: Person, topic: str) -> None:
    assert knock(alice.client, topic).status_code == 404


def test_a_request_without_an_upgrade_is_no_page(alice: Person) -> None:
    assert alice.get("/live").status_code == 400


def test_topics_are_read_as_a_word_and_an_id() -> None:
    assert parse("home") == Topic("home", 0)
    assert parse("run:17") == Topic("run", 17)
    for text in ("", "run", "run:", "run:x", "run:-1", "run:" + "9" * 30, "home:", "home:1"):
        assert parse(text) is None, text


def test_a_row_that_is_not_there_gets_404(alice: Person) -> None:
    assert knock(alice.client, "run:1").status_code == 404


class BrokenSocket:
    """A socket whose page cannot be rendered, or whose browser has gone."""

    def __init__(self, error: Exception | None = None) -> None:
        import socket

        self.connected, self.closed_with, self._error = True, 0, error
        self.sock, self._other = socket.socketpair()

    def send(self, data: str) -> None:
        if self._error is not None:
            raise self._error

    def close(self, reason: int, message: str | None = None) -> None:
        self.connected, self.closed_with = False, reason

    def end(self) -> None:
        self.sock.close()
        self._other.close()


def test_a_page_that_fails_asks_the_browser_to_try_again(
    alice: Person, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(user: User, row_id: int) -> topics.Fragments:
        raise ZeroDivisionError("a bug in a fragment")

    monkeypatch.setitem(topics._sources, "broken", fail)
    ws, hub = BrokenSocket(), Hub()

    serve(ws, alice.user.get_id(), (Topic("broken"),), hub)
    ws.end()

    assert ws.closed_with == TRY_AGAIN
    assert "a bug in a fragment" in caplog.text
    assert hub.sockets() == 0


@pytest.mark.parametrize("error", [ConnectionClosed(1006), BrokenPipeError(), TimeoutError()])
def test_a_browser_that_went_away_is_no_error(
    alice: Person,
    error: Exception,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setitem(topics._sources, "plain", lambda user, row_id: {"a": "<p id=a>"})
    ws, hub = BrokenSocket(error), Hub()

    with caplog.at_level(logging.INFO):
        serve(ws, alice.user.get_id(), (Topic("plain"),), hub)
    ws.end()

    assert ws.closed_with == 0
    assert caplog.records == []
    assert hub.sockets() == 0
