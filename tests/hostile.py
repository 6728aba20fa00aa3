"""A small HTTP server on a free loopback port that behaves as badly as its path says."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

OPENAI_LIST = {
    "object": "list",
    "data": [
        {"id": "small", "object": "model", "max_model_len": 8192},
        {"id": "<b>bold</b>", "object": "model"},
    ],
}


class Hostile:
    """The server. `seen` holds (path, headers) of every request in order; `answers` maps a
    path to (status, headers, body) for tests that need an answer of their own."""

    def __init__(self) -> None:
        self.seen: list[tuple[str, dict[str, str]]] = []
        self.answers: dict[str, tuple[int, dict[str, str], bytes]] = {}
        self.release = threading.Event()
        handler = type("Handler", (_Handler,), {"hostile": self})
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self.server.daemon_threads = True

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.server_port}"

    def answer(
        self, path: str, data: Any, status: int = 200, headers: dict[str, str] | None = None
    ) -> None:
        """Answer `path` (with its query) with `data`: JSON, or bytes as they stand."""
        body = data if isinstance(data, bytes) else json.dumps(data).encode()
        self.answers[path] = (status, {"content-type": "application/json", **(headers or {})}, body)


class _Handler(BaseHTTPRequestHandler):
    hostile: Hostile
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self.hostile.seen.append((self.path, {k.lower(): v for k, v in self.headers.items()}))
        if self.path in self.hostile.answers:
            self._send(*self.hostile.answers[self.path])
            return
        name = self.path.strip("/").split("/", maxsplit=1)[0]
        getattr(self, f"_{name}", self._missing)()

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("content-length", 0)))
        self.do_GET()

    def _send(self, status: int, headers: dict[str, str], body: bytes) -> None:
        self.send_response(status)
        for key, value in headers.items():
            self.send_header(key, value)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _good(self) -> None:
        self._send(200, {"content-type": "application/json"}, json.dumps(OPENAI_LIST).encode())

    def _html(self) -> None:
        self._send(200, {"content-type": "text/html"}, b"<!doctype html><title>Hello</title>")

    def _slow(self) -> None:
        """Begins an answer and never ends it."""
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.end_headers()
        self.wfile.write(b"[")
        self.wfile.flush()
        self.hostile.release.wait(30)
        self.close_connection = True

    def _huge(self) -> None:
        """Sends without end and without saying how much."""
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("connection", "close")
        self.end_headers()
        try:
            while not self.hostile.release.is_set():
                self.wfile.write(b" " * 65_536)
        except OSError:
            self.close_connection = True

    def _cut(self) -> None:
        self.send_response(200)
        self.send_header("content-length", "1000")
        self.end_headers()
        self.wfile.write(b'{"data": [')
        self.close_connection = True

    def _missing(self) -> None:
        self._send(404, {"content-type": "application/json"}, b'{"detail": "Not Found"}')

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """Say nothing."""


@contextmanager
def hostile_server() -> Iterator[Hostile]:
    """Run the server for the time of a test."""
    hostile = Hostile()
    thread = threading.Thread(target=hostile.server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield hostile
    finally:
        hostile.release.set()
        hostile.server.shutdown()
        hostile.server.server_close()
        thread.join(10)
