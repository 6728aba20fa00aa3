"""What a borrowed call into LiteLLM can see and reach."""

from __future__ import annotations

import os
import socket
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from engine.llm import litellm_door


class Nowhere(httpx.AsyncBaseTransport):
    """A transport that nobody uses."""


def test_the_call_sees_no_key_of_the_environment_and_everybody_else_does(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "operator-secret")
    real = os.environ
    with ThreadPoolExecutor(1) as other, litellm_door.borrowed(Nowhere()):
        assert os.environ.get("OPENAI_API_KEY") is None
        assert os.getenv("OPENAI_API_KEY") is None
        assert "OPENAI_API_KEY" not in list(os.environ)
        assert os.environ["PATH"]
        assert other.submit(os.getenv, "OPENAI_API_KEY").result() == "operator-secret"
        os.environ["STUDIO_TEST"] = "kept"
    assert os.environ is real
    assert os.environ.pop("STUDIO_TEST") == "kept"


def test_the_call_cannot_connect_and_everybody_else_can() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        where = listener.getsockname()
        with ThreadPoolExecutor(1) as other, litellm_door.borrowed(Nowhere()):
            with pytest.raises(litellm_door.ReachedOut):
                socket.create_connection(where)
            with pytest.raises(litellm_door.ReachedOut), socket.socket() as sock:
                sock.connect(where)
            other.submit(socket.create_connection, where).result().close()
        socket.create_connection(where).close()


def test_everything_is_as_before_when_the_call_fails() -> None:
    before = os.environ, socket.socket.connect, socket.getaddrinfo
    with pytest.raises(ValueError, match="broken"), litellm_door.borrowed(Nowhere()):
        raise ValueError("broken")
    assert (os.environ, socket.socket.connect, socket.getaddrinfo) == before
