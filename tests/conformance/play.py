"""Traps played to the engine: as captures with scripted times, and over loopback sockets."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import threading
import time
from array import array
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import BinaryIO, Self

from engine.cancel import CancelToken
from engine.llm.ask import Asked, Asker
from engine.llm.decode import decode
from engine.llm.exchange import Capture
from engine.llm.prepare import prepare
from engine.llm.request import ChatRequest
from engine.samples import Sample, SampleKey
from engine.speed.load.generator import Generator
from engine.speed.load.work import Message, Share, Stream
from engine.speed.metrics import measure
from engine.targets import Target
from tests.conformance.traps import Trap

SENT_NS = 1_000_000_000
_KEY = SampleKey("conformance", "trap", 0, 0, False)


def captured(trap: Trap) -> Capture:
    """The trap as the socket would have seen it, to the nanosecond."""
    times = array("q", (SENT_NS + round(write.at_ms * 1e6) for write in trap.writes))
    return Capture(
        sent_ns=SENT_NS,
        times=times,
        chunks=[write.data for write in trap.writes],
        ended_ns=times[-1],
        ended="eof" if trap.cut else "complete",
        clock="kernel",
    )


def measured(capture: Capture) -> tuple[Sample, str]:
    """The engine's sample of a capture, and the arguments of its first tool call."""
    decoded = decode(capture, "openai/trap", ())
    calls = decoded.tool_calls
    sample = measure(_KEY, Asked(capture=capture, decoded=decoded), None, "")
    return sample, calls[0]["arguments"] if calls else ""


@dataclass
class TrapServer:
    """Plays to each request the trap whose number is its `max_tokens`, and keeps the true
    moment of each write. A trap that refuses does so for its first request only."""

    traps: Sequence[Trap]
    sent_ns: dict[int, list[int]] = field(default_factory=dict)
    requests: dict[int, int] = field(default_factory=dict)

    def __enter__(self) -> Self:
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port: int = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_exc: object) -> None:
        self._listener.close()

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1"

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        with client, contextlib.suppress(OSError):
            while (number := _asked_for(client)) is not None:
                trap = self.traps[number]
                tries = self.requests[number] = self.requests.get(number, 0) + 1
                if trap.refused and tries == 1:
                    client.sendall(trap.refused)
                    continue
                self._play(client, number, trap)
                if trap.cut:
                    return

    def _play(self, client: socket.socket, number: int, trap: Trap) -> None:
        begun, sent = time.monotonic_ns(), self.sent_ns.setdefault(number, [])
        sent.clear()
        for write in trap.writes:
            due = begun + round(write.at_ms * 1e6)
            threading.Event().wait(max(0, due - time.monotonic_ns()) / 1e9)
            sent.append(time.monotonic_ns())
            client.sendall(write.data)


def _asked_for(client: socket.socket) -> int | None:
    """The number in one whole request, None at the end of the connection."""
    data = b""
    while b"\r\n\r\n" not in data or not data.endswith(b"}"):
        more = client.recv(65536)
        if not more:
            return None
        data += more
    return int(data.partition(b'"max_tokens":')[2].partition(b",")[0])


def _target(server: TrapServer) -> Target:
    return Target("p", "trap", "openai/trap", server.base_url, "sk-trap", allow_private=True)


def _request(number: int) -> ChatRequest:
    return ChatRequest(({"role": "user", "content": "Play."},), max_tokens=number)


def asked(server: TrapServer, numbers: Sequence[int]) -> dict[int, tuple[Asked, Sample]]:
    """Play the numbered traps at once through `Asker`, as a sequential run does."""

    async def one(number: int, cpu: ThreadPoolExecutor) -> Asked:
        asker = Asker(_target(server), cpu, CancelToken(), timeout_s=10, retries=2)
        try:
            return await asker.ask(_request(number))
        finally:
            asker.close()

    async def every() -> list[Asked]:
        with ThreadPoolExecutor(1) as cpu:
            return await asyncio.gather(*(one(number, cpu) for number in numbers))

    answers = zip(numbers, asyncio.run(every()), strict=True)
    return {number: (answer, measure(_KEY, answer, None, "")) for number, answer in answers}


def loaded(server: TrapServer, numbers: Sequence[int]) -> dict[int, Sample]:
    """Play the numbered traps at once through one load generator, in this process."""
    prepared = [prepare(_target(server), _request(number)) for number in numbers]
    share = Share(
        endpoint=prepared[0].endpoint,
        allow_private=True,
        bodies=tuple(request.wire_bytes() for request in prepared),
        model="openai/trap",
        secrets=(),
        numbers=range(len(numbers)),
        slots=len(numbers),
        most_streams=len(numbers),
        timeout_s=10,
        starts_ns=array("q", [0] * len(numbers)),
    )
    told: list[Message] = []
    with _control() as control:
        generator = Generator(share, told.append, control)
        generator.connect()
        generator.run(time.monotonic_ns())
        generator.close()
    return {numbers[m.number]: m.sample for m in told if isinstance(m, Stream)}


@contextlib.contextmanager
def _control() -> Iterator[BinaryIO]:
    """The reading end of a pipe on which nobody says anything."""
    read, write = os.pipe()
    try:
        with open(read, "rb") as control:  # noqa: PTH123 - a descriptor has no path
            yield control
    finally:
        os.close(write)
