"""A client that sees the wire: each read with its moment, and nothing decoded on the way."""

from __future__ import annotations

import json
import re
import socket
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from engine.demo.process import DemoServer
from engine.demo.truth import Record

TIMEOUT_S = 8.0
_TOKEN = re.compile(rb'"content":"[^"]')


@dataclass
class Reply:
    """One response. `reads` are (CLOCK_MONOTONIC ns, raw bytes); `complete` is whether the
    body ended as its framing says."""

    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    reads: list[tuple[int, bytes]] = field(default_factory=list)
    complete: bool = False

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def error(self) -> dict[str, Any]:
        """The error of an OpenAI-shaped body, checked for its four fields."""
        error: dict[str, Any] = self.json["error"]
        assert set(error) == {"message", "type", "param", "code"}
        return error

    @property
    def id(self) -> str:
        return self.headers["x-request-id"]


def chat(model: str, prompt: str = "Explain tides to a sailor", **more: Any) -> dict[str, Any]:
    """The body of a streamed request that asks for token counts."""
    body = {
        "model": model,
        "messages": [{"role": "user", "content": prompt}],
        "stream": True,
        "stream_options": {"include_usage": True},
        **more,
    }
    return {name: value for name, value in body.items() if value is not None}


def whole(model: str, prompt: str = "Explain tides to a sailor", **more: Any) -> dict[str, Any]:
    """The body of a request that is answered whole."""
    return chat(model, prompt, stream=None, stream_options=None, **more)


def request_bytes(
    body: Mapping[str, Any] | bytes | None = None,
    *,
    method: str = "POST",
    path: str = "/v1/chat/completions",
    key: str = "alice-key",
    headers: str = "",
) -> bytes:
    """One HTTP/1.1 request; `headers` are whole lines, each with its line end."""
    data = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
    auth = f"Authorization: Bearer {key}\r\n" if key else ""
    start = f"{method} {path} HTTP/1.1\r\nHost: demo\r\n{auth}{headers}"
    return f"{start}Content-Length: {len(data)}\r\n\r\n".encode() + data


def connect(server: DemoServer) -> socket.socket:
    sock = socket.create_connection(("127.0.0.1", server.port), timeout=TIMEOUT_S)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return sock


def ask(server: DemoServer, body: Mapping[str, Any] | bytes | None = None, **how: Any) -> Reply:
    """One request on a connection of its own."""
    with connect(server) as sock:
        sock.sendall(request_bytes(body, **how))
        return receive(sock)


def receive(sock: socket.socket, held: bytes = b"") -> Reply:
    """Read one response; TimeoutError if it does not end and the server stays silent."""
    reply, raw = Reply(), held
    while not _parsed(reply, raw):
        data = sock.recv(65536)
        reply.reads.append((time.monotonic_ns(), data))
        if not data:
            break
        raw += data
    return reply


def _parsed(reply: Reply, raw: bytes) -> bool:
    head, end, rest = raw.partition(b"\r\n\r\n")
    if not end:
        return False
    status, *lines = head.decode("latin-1").split("\r\n")
    reply.status = int(status.split()[1])
    reply.headers = {n.lower(): v for n, _, v in (line.partition(": ") for line in lines)}
    if reply.headers.get("transfer-encoding") == "chunked":
        reply.body, reply.complete = _unchunked(rest)
    else:
        length = int(reply.headers.get("content-length", -1))
        reply.body, reply.complete = (rest[:length], len(rest) >= length >= 0)
    return reply.complete


def _unchunked(data: bytes) -> tuple[bytes, bool]:
    body = b""
    while True:
        size, end, data = data.partition(b"\r\n")
        if not end:
            return body, False
        length = int(size, 16)
        body += data[:length]
        if len(data) < length + 2:
            return body, False
        assert data[length : length + 2] == b"\r\n"
        if length == 0:
            return body, True
        data = data[length + 2 :]


def events(body: bytes) -> list[dict[str, Any]]:
    """The JSON events of a stream, without comments and [DONE]."""
    lines = [block for block in body.decode().split("\n\n") if block.startswith("data: ")]
    return [json.loads(line[6:]) for line in lines if line != "data: [DONE]"]


def deltas(body: bytes) -> list[dict[str, Any]]:
    return [event["choices"][0]["delta"] for event in events(body) if event["choices"]]


def text(body: bytes, name: str = "content") -> str:
    return "".join(delta.get(name) or "" for delta in deltas(body))


def finish(body: bytes) -> str | None:
    """The one finish reason of a stream."""
    reasons = [event["choices"][0]["finish_reason"] for event in events(body) if event["choices"]]
    found = [reason for reason in reasons if reason]
    assert len(found) <= 1
    return found[0] if found else None


def usage(body: bytes) -> dict[str, Any] | None:
    """The counts of a stream's last event."""
    counts: dict[str, Any] | None = events(body)[-1].get("usage")
    return counts


def token_arrivals(reply: Reply) -> list[int]:
    """When each token's event had been read, for streams of one token of text an event."""
    arrivals: list[int] = []
    raw = b""
    for at, data in reply.reads:
        raw += data
        complete = len(_TOKEN.findall(raw[: raw.rfind(b"\n\n") + 2]))
        arrivals += [at] * (complete - len(arrivals))
    return arrivals


def truth_of(server: DemoServer, reply: Reply) -> Record:
    """The record of this answer: it is there as soon as the answer has been read."""
    return next(record for record in server.truth() if record.id == reply.id)
