"""A connection whose client does not read: nothing is lost, and nothing piles up."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest

from engine.demo.connection import Connection, Request

MB = 1024 * 1024
GET = b"GET / HTTP/1.1\r\n\r\n"
CLOSE = b"GET / HTTP/1.1\r\nConnection: close\r\n\r\n"


@dataclass
class Answers:
    """Answers each request with so many bytes, numbered, and counts the requests."""

    size: int
    ends: Callable[[Connection], None] = Connection.finish
    asked: list[Request] = field(default_factory=list)
    changed: asyncio.Event = field(default_factory=asyncio.Event)

    def answer(self, request: Request, connection: Connection) -> None:
        self.asked.append(request)
        connection.send(bytes([len(self.asked)]) * self.size)
        self.changed.set()
        self.ends(connection)


def connected(application: Answers) -> tuple[socket.socket, Connection]:
    """A client's socket with small buffers, and the connection that serves it."""
    loop = asyncio.get_running_loop()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        client = socket.create_connection(listener.getsockname())
        served, _address = listener.accept()
    for sock, option in ((client, socket.SO_RCVBUF), (served, socket.SO_SNDBUF)):
        sock.setsockopt(socket.SOL_SOCKET, option, 16_384)
    client.setblocking(False)
    return client, Connection(loop, served, application)


async def read_all(client: socket.socket, size: int) -> bytes:
    """Up to `size` bytes, or fewer where the connection ends before."""
    loop, data = asyncio.get_running_loop(), bytearray()
    while len(data) < size and (part := await asyncio.wait_for(loop.sock_recv(client, MB), 5)):
        data += part
    return bytes(data)


@pytest.mark.parametrize("end", [Connection.finish, Connection.cut])
def test_a_connection_ends_only_after_its_last_byte(end: Callable[[Connection], None]) -> None:
    async def run() -> bytes:
        application = Answers(5 * MB, end)
        client, connection = connected(application)
        with client:
            client.send(CLOSE)
            await application.changed.wait()
            assert not connection.closed
            received = await read_all(client, 6 * MB)
        assert connection.closed
        return received

    assert asyncio.run(run()) == b"\x01" * (5 * MB)


def test_who_asks_on_without_reading_is_not_answered_on_and_on() -> None:
    async def run() -> tuple[int, bytes]:
        application = Answers(2 * MB)
        client, connection = connected(application)
        with client:
            client.send(GET * 4)
            await application.changed.wait()
            for _ in range(20):  # turns of the loop, in which more could be answered
                await asyncio.sleep(0)
            answered = len(application.asked)
            received = await read_all(client, 8 * MB)
        connection.close()
        return answered, received

    answered, received = asyncio.run(run())
    assert answered == 1
    assert received == b"".join(bytes([n]) * (2 * MB) for n in (1, 2, 3, 4))


def test_a_client_that_leaves_is_told_of_once() -> None:
    async def run() -> int:
        left: list[int] = []
        gone = asyncio.Event()

        def note() -> None:
            left.append(1)
            gone.set()

        def waits(connection: Connection) -> None:
            connection.on_lost = note

        application = Answers(10, waits)
        client, connection = connected(application)
        client.send(GET)
        await application.changed.wait()
        client.close()
        await asyncio.wait_for(gone.wait(), 5)
        connection.send(b"more")
        connection.finish()
        return len(left)

    assert asyncio.run(run()) == 1


def test_an_application_that_fails_leaves_no_connection_open() -> None:
    async def run() -> tuple[bytes, list[str]]:
        said: list[str] = []
        asyncio.get_running_loop().set_exception_handler(
            lambda _loop, context: said.append(type(context["exception"]).__name__)
        )

        def fails(connection: Connection) -> None:
            raise ZeroDivisionError

        client, _connection = connected(Answers(0, fails))
        with client:
            client.send(GET)
            return await read_all(client, 1), said

    assert asyncio.run(run()) == (b"", ["ZeroDivisionError"])
