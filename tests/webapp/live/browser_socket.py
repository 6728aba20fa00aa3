"""The browser's side of a WebSocket, for tests: blocking, with a time limit on each read.

simple_websocket's own client loses frames that arrive together with the handshake.
"""

from __future__ import annotations

import socket
import time
from collections import deque
from contextlib import suppress

from wsproto import ConnectionType, WSConnection
from wsproto.events import (
    AcceptConnection,
    CloseConnection,
    Ping,
    RejectConnection,
    Request,
    TextMessage,
)


class Closed(Exception):
    """The other side closed; `code` is 1006 when it just went away."""

    def __init__(self, code: int) -> None:
        super().__init__(f"closed with {code}")
        self.code = code


class BrowserSocket:
    """An open WebSocket to this machine. Raises ConnectionRefusedError with the status when
    the handshake is refused."""

    def __init__(self, port: int, path: str, cookie: str) -> None:
        self._tcp = socket.create_connection(("127.0.0.1", port), timeout=10)
        self._frames = WSConnection(ConnectionType.CLIENT)
        self._parts: list[str] = []
        self._messages: deque[str] = deque()
        self._code: int | None = None
        self.accepted = False
        host = f"127.0.0.1:{port}"
        headers = [(b"Cookie", cookie.encode()), (b"Origin", f"http://{host}".encode())]
        self._tcp.sendall(self._frames.send(Request(host, path, extra_headers=headers)))
        try:
            self._shake_hands()
        except BaseException:
            self._tcp.close()
            raise

    def _shake_hands(self) -> None:
        while not self.accepted:
            if self._code is not None or not self._read_once(10):
                raise ConnectionAbortedError("no answer to the handshake")

    def receive(self, timeout_s: float) -> str | None:
        """The next message, or None when none comes in time. Raises Closed."""
        end = time.monotonic() + timeout_s
        while not self._messages:
            if self._code is not None:
                raise Closed(self._code)
            left = end - time.monotonic()
            if left <= 0 or not self._read_once(left):
                return None
        return self._messages.popleft()

    def close(self) -> None:
        """Close as a browser does that leaves the page."""
        with self._tcp, suppress(OSError):
            if self._code is None:
                self._tcp.sendall(self._frames.send(CloseConnection(1001)))
                self._code = 1001

    def _read_once(self, timeout_s: float) -> bool:
        self._tcp.settimeout(timeout_s)
        try:
            data = self._tcp.recv(65_536)
        except TimeoutError:
            return False
        except ConnectionError:
            data = b""
        if not data:
            self._code = self._code or 1006
            return True
        self._frames.receive_data(data)
        for event in self._frames.events():
            self._take(event)
        return True

    def _take(self, event: object) -> None:
        if isinstance(event, AcceptConnection):
            self.accepted = True
        elif isinstance(event, RejectConnection):
            raise ConnectionRefusedError(event.status_code)
        elif isinstance(event, TextMessage):
            self._parts.append(event.data)
            if event.message_finished:
                self._messages.append("".join(self._parts))
                self._parts.clear()
        elif isinstance(event, Ping):
            self._tcp.sendall(self._frames.send(event.response()))
        elif isinstance(event, CloseConnection):
            self._code = int(event.code)
