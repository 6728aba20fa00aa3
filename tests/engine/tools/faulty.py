"""A fast endpoint in OpenAI's format that does to each prompt what its plan says."""

from __future__ import annotations

import asyncio
import json
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

# What a prompt may get: a call, an answer in words, an error of that status, or silence.
Fate = str | int
CALL = "call"
WORDS = "words"
SILENCE = "silence"


class Faulty:
    """`fate(prompt, times)` decides about a prompt that was asked `times` before. `asked`
    counts requests by prompt, `bodies` keeps them, `open` and `most` count requests that are
    answered at once. `delay_s` is waited before every answer."""

    def __init__(self, fate: Callable[[str, int], Fate], delay_s: float = 0.0) -> None:
        self.fate, self.delay_s = fate, delay_s
        self.asked: Counter[str] = Counter()
        self.bodies: list[dict[str, Any]] = []
        self.open = self.most = 0
        self.port = 0

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1"

    def respond(self, body: dict[str, Any]) -> tuple[bytes, bool]:
        """The response to a request, and whether anything is sent at all."""
        prompt = next(m["content"] for m in reversed(body["messages"]) if m["role"] == "user")
        fate = self.fate(prompt, self.asked[prompt])
        self.asked[prompt] += 1
        self.bodies.append(body)
        if fate == SILENCE:
            return b"", False
        if isinstance(fate, int):
            text = json.dumps({"error": {"message": f"Planned {fate}.", "type": "planned"}})
            return _response(fate, text, "application/json", "retry-after: 0\r\n"), True
        return _response(200, _stream(str(fate), prompt), "text/event-stream"), True


def _response(status: int, text: str, kind: str, more: str = "") -> bytes:
    body = text.encode()
    head = (
        f"HTTP/1.1 {status} X\r\ncontent-type: {kind}\r\n{more}content-length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


def _stream(fate: str, prompt: str) -> str:
    """A call of get_weather with the prompt's last word as its city, or the text `fate`."""
    city = json.dumps({"city": prompt.rsplit(maxsplit=1)[-1].strip("?")})
    call = {"index": 0, "id": "c1", "type": "function"}
    delta: dict[str, Any] = {"role": "assistant", "content": fate}
    if fate == CALL:
        call["function"] = {"name": "get_weather", "arguments": city}
        delta = {"role": "assistant", "tool_calls": [call]}
    usage = {"prompt_tokens": 20, "completion_tokens": 5, "total_tokens": 25}
    reason = "tool_calls" if fate == CALL else "stop"
    chunks = [
        {"choices": [{"index": 0, "delta": delta, "finish_reason": None}]},
        {"choices": [{"index": 0, "delta": {}, "finish_reason": reason}]},
        {"choices": [], "usage": usage},
    ]
    return "".join(f"data: {json.dumps(chunk)}\n\n" for chunk in chunks) + "data: [DONE]\n\n"


class _Peer(asyncio.Protocol):
    def __init__(self, server: Faulty) -> None:
        self._server, self._held = server, b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport: Any = transport

    def data_received(self, data: bytes) -> None:
        self._held += data
        head, end, rest = self._held.partition(b"\r\n\r\n")
        if not end:
            return
        length = int(head.lower().partition(b"content-length: ")[2].split(b"\r\n")[0])
        if len(rest) < length:
            return
        self._held = b""
        server = self._server
        server.open += 1
        server.most = max(server.most, server.open)
        response, sent = server.respond(json.loads(rest))
        if sent and server.delay_s:
            asyncio.get_running_loop().call_later(server.delay_s, self._send, response)
        elif sent:
            self._send(response)
        else:
            server.open -= 1

    def _send(self, response: bytes) -> None:
        self._server.open -= 1
        self.transport.write(response)


@contextmanager
def faulty_server(fate: Callable[[str, int], Fate], delay_s: float = 0.0) -> Iterator[Faulty]:
    """An endpoint whose answers `fate` decides, for the time of a test."""
    with serving(Faulty(fate, delay_s)) as server:
        yield server


F = TypeVar("F", bound=Faulty)


@contextmanager
def serving(server: F) -> Iterator[F]:
    """Run the endpoint on a free loopback port."""
    loop, ready = asyncio.new_event_loop(), threading.Event()
    stop = loop.create_future()
    peers: list[_Peer] = []

    def accept() -> _Peer:
        peers.append(_Peer(server))
        return peers[-1]

    async def serve() -> None:
        listening = await loop.create_server(accept, "127.0.0.1", 0)
        server.port = listening.sockets[0].getsockname()[1]
        ready.set()
        await stop
        listening.close()
        for peer in peers:
            peer.transport.abort()

    thread = threading.Thread(target=loop.run_until_complete, args=(serve(),))
    thread.start()
    ready.wait(10)
    try:
        yield server
    finally:
        loop.call_soon_threadsafe(stop.set_result, None)
        thread.join(10)
        loop.close()
