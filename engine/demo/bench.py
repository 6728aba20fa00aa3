"""The bench model: an endpoint of exact pace, for measuring the measuring.

One loop over prebuilt frames, in a process of its own: `python -m engine.demo.bench`. It
parses as little as it can, so that hundreds of streams do not delay each other, keeps the
true times of every send, and reports its own lateness. `GET /truth` gives the records of
all finished streams as JSON lines and forgets them: `id` is the request's nonce (the first 16
hexadecimal digits in a row of its body), `received_ns` when the kernel had its last byte,
which is when its service begins if there is room, `noticed_ns` when this loop read it,
`start_ns` when its service began. Times are nanoseconds of CLOCK_MONOTONIC.
"""

from __future__ import annotations

import argparse
import gc
import heapq
import json
import re
import resource
import select
import socket
import sys
import time
from array import array
from collections import deque
from dataclasses import dataclass, field
from typing import Any

from engine.llm.exchange import NOTE_BYTES, clock_offset_ns, enable_kernel_time, kernel_time

# Nearer than this, a due send is waited for by looking at the clock; what is farther off is
# slept for with select, which counts in microseconds where epoll counts in milliseconds.
_SPIN_NS = 60_000
_READ_BYTES = 65_536
_NONCE = re.compile(rb"[0-9a-f]{16}")
_ID = "chatcmpl-bench"
_WORDS = ("measure ", "twice, ", "cut ", "once ", "and ", "say ", "so. ")


@dataclass(frozen=True, slots=True)
class Pace:
    """First token after `first_ms`, then an event every `gap_ms` with `per_event` tokens;
    the finish and the usage come `finish_ms` after the last token."""

    first_ms: float = 100.0
    gap_ms: float = 10.0
    per_event: int = 1
    finish_ms: float = 0.0


@dataclass(slots=True)
class _Client:
    sock: socket.socket
    waiting: bytes = b""
    nonce: str = ""
    received_ns: int = 0
    noticed_ns: int = 0
    start_ns: int = 0
    frames: list[bytes] = field(default_factory=list)
    tokens: int = 0
    position: int = 0
    sends: array[int] = field(default_factory=lambda: array("q"))
    late_ns: int = 0
    due_ns: int = 0


def _chunked(data: bytes) -> bytes:
    return b"%x\r\n%s\r\n" % (len(data), data)


def _event(choice: dict[str, Any] | None, **more: Any) -> bytes:
    chunk = {
        "id": _ID,
        "object": "chat.completion.chunk",
        "created": 1,
        "model": "bench",
        "choices": [choice] if choice else [],
        **more,
    }
    return b"data: " + json.dumps(chunk, separators=(",", ":")).encode() + b"\n\n"


_HEAD = (
    b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n"
    b"cache-control: no-cache\r\ntransfer-encoding: chunked\r\n\r\n"
)


def frames_of(tokens: int, per_event: int, prompt_tokens: int) -> list[bytes]:
    """One frame for each token event, and a last one with finish, usage and [DONE]."""
    frames, sent = [], 0
    while sent < tokens:
        count = min(per_event, tokens - sent)
        text = "".join(_WORDS[(sent + n) % len(_WORDS)] for n in range(count))
        frames.append(_chunked(_event({"index": 0, "delta": {"content": text}})))
        sent += count
    usage = {
        "prompt_tokens": prompt_tokens,
        "completion_tokens": tokens,
        "total_tokens": prompt_tokens + tokens,
    }
    last = _event({"index": 0, "delta": {}, "finish_reason": "stop"}) + _event(None, usage=usage)
    frames.append(_chunked(last + b"data: [DONE]\n\n") + b"0\r\n\r\n")
    return frames


class BenchServer:
    """The loop. `port` is the bound one; `capacity` streams are served at once, further
    requests wait their turn (their `received_ns` stays the moment they were read)."""

    def __init__(self, host: str, port: int, pace: Pace, capacity: int = 1_000_000) -> None:
        self._pace, self._capacity = pace, capacity
        self._listener = socket.create_server((host, port), backlog=4096)
        self._listener.setblocking(False)
        self.port: int = self._listener.getsockname()[1]
        self._poll = select.epoll()
        self._poll.register(self._listener, select.EPOLLIN)
        self._clients: dict[int, _Client] = {}
        self._plan: list[tuple[int, int]] = []
        self._queue: deque[_Client] = deque()
        self._active = 0
        self._records: list[str] = []
        self._frames: dict[int, list[bytes]] = {}
        self._first_ns = int(pace.first_ms * 1e6)
        self._gap_ns = int(pace.gap_ms * 1e6)

    def serve(self) -> None:
        """Serve until the process ends."""
        gc.disable()
        listener, plan = self._listener.fileno(), self._plan
        while True:
            ahead = plan[0][0] - time.monotonic_ns() if plan else 1_000_000_000
            if ahead > _SPIN_NS:
                select.select((self._poll,), (), (), (ahead - _SPIN_NS // 2) / 1e9)
            for fd, _ in self._poll.poll(0):
                if fd == listener:
                    self._accept()
                else:
                    self._read(self._clients[fd])
            while plan and plan[0][0] <= time.monotonic_ns():
                self._send(*heapq.heappop(plan))

    def _accept(self) -> None:
        while True:
            try:
                sock, _ = self._listener.accept()
            except BlockingIOError:
                return
            sock.setblocking(False)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            enable_kernel_time(sock)
            self._clients[sock.fileno()] = _Client(sock)
            self._poll.register(sock, select.EPOLLIN)

    def _read(self, client: _Client) -> None:
        try:
            data, notes, _, _ = client.sock.recvmsg(_READ_BYTES, NOTE_BYTES)
        except BlockingIOError:
            return
        except OSError:
            data, notes = b"", []
        client.noticed_ns = time.monotonic_ns()
        if not data:
            self._drop(client)
            return
        client.waiting += data
        head, found, body = client.waiting.partition(b"\r\n\r\n")
        if not found or len(body) < _content_length(head):
            return
        client.waiting = b""
        stamp = kernel_time(notes)
        client.received_ns = client.noticed_ns if stamp is None else stamp + clock_offset_ns()
        self._answer(client, head, body)

    def _answer(self, client: _Client, head: bytes, body: bytes) -> None:
        if head.startswith(b"GET /truth"):
            self._plain(client, "\n".join(self._records).encode())
            self._records.clear()
        elif head.startswith(b"GET"):
            self._plain(client, b'{"object":"list","data":[{"id":"bench","object":"model"}]}')
        else:
            client.tokens = int(json.loads(body).get("max_tokens") or 200)
            nonce = _NONCE.search(body)
            client.nonce = nonce[0].decode() if nonce else ""
            if self._active < self._capacity:
                self._begin(client, client.received_ns)
            else:
                self._queue.append(client)

    def _begin(self, client: _Client, start_ns: int) -> None:
        self._active += 1
        client.start_ns = start_ns
        if client.tokens not in self._frames:
            self._frames[client.tokens] = frames_of(client.tokens, self._pace.per_event, 12)
        client.frames = self._frames[client.tokens]
        client.position, client.late_ns, client.sends = 0, 0, array("q")
        client.sock.send(_HEAD)
        self._due(client, start_ns + self._first_ns)

    def _due(self, client: _Client, at_ns: int) -> None:
        client.due_ns = at_ns
        heapq.heappush(self._plan, (at_ns, client.sock.fileno()))

    def _send(self, due_ns: int, fd: int) -> None:
        client = self._clients.get(fd)
        if client is None or client.due_ns != due_ns or not client.frames:
            return
        last = client.position == len(client.frames) - 1
        now = time.monotonic_ns()
        try:
            client.sock.send(client.frames[client.position])
        except OSError:
            self._drop(client)
            return
        client.late_ns = max(client.late_ns, now - due_ns)
        if last:
            self._end(client, now)
            return
        client.sends.append(now)
        client.position += 1
        final = client.position == len(client.frames) - 1
        self._due(client, due_ns + (int(self._pace.finish_ms * 1e6) if final else self._gap_ns))

    def _end(self, client: _Client, now: int) -> None:
        client.frames = []
        record = {
            "id": client.nonce,
            "received_ns": client.received_ns,
            "noticed_ns": client.noticed_ns,
            "start_ns": client.start_ns,
            "end_ns": now,
            "sends": client.sends.tolist(),
            "output": client.tokens,
            "late_ns": client.late_ns,
        }
        self._records.append(json.dumps(record, separators=(",", ":")))
        self._freed()

    def _freed(self) -> None:
        self._active -= 1
        if self._queue:
            self._begin(self._queue.popleft(), time.monotonic_ns())

    def _plain(self, client: _Client, body: bytes) -> None:
        head = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n"
        client.sock.setblocking(True)
        client.sock.sendall(head % len(body) + body)
        client.sock.setblocking(False)

    def _drop(self, client: _Client) -> None:
        self._poll.unregister(client.sock)
        del self._clients[client.sock.fileno()]
        if client in self._queue:
            self._queue.remove(client)
        elif client.frames:
            client.frames = []
            self._freed()
        client.sock.close()


def _content_length(head: bytes) -> int:
    _, found, rest = head.lower().partition(b"content-length:")
    return int(rest.split(b"\r\n", 1)[0]) if found else 0


def main(arguments: list[str] | None = None) -> None:
    """Serve; prints its address once it accepts."""
    parser = argparse.ArgumentParser(prog="engine.demo.bench", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--first-ms", type=float, default=100.0)
    parser.add_argument("--gap-ms", type=float, default=10.0)
    parser.add_argument("--per-event", type=int, default=1)
    parser.add_argument("--finish-ms", type=float, default=0.0)
    parser.add_argument("--capacity", type=int, default=1_000_000)
    options = parser.parse_args(arguments)
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    pace = Pace(options.first_ms, options.gap_ms, options.per_event, options.finish_ms)
    server = BenchServer(options.host, options.port, pace, options.capacity)
    sys.stdout.write(f"bench model on http://{options.host}:{server.port}\n")
    sys.stdout.flush()
    server.serve()


if __name__ == "__main__":
    main()
