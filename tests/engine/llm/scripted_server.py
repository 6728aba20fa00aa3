"""A scripted server: it answers a connection with bytes exactly as a test wrote them."""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

Step = bytes | float | str


@dataclass
class ScriptedServer:
    """Plays one script a request: bytes are sent, a float waits that many seconds, "reset"
    drops the connection hard, "close" closes it. `requests` keeps what clients sent."""

    scripts: list[Sequence[Step]]
    requests: list[bytes] = field(default_factory=list)
    sent_ns: list[int] = field(default_factory=list)
    host: str = "127.0.0.1"

    def start(self) -> None:
        family = socket.AF_INET6 if ":" in self.host else socket.AF_INET
        self._listener = socket.create_server((self.host, 0), family=family)
        self.port: int = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def base_url(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"http://{host}:{self.port}/v1"

    def stop(self) -> None:
        self._listener.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        with client, contextlib.suppress(OSError):
            while self.scripts and self._receive(client):
                for step in self.scripts.pop(0) if len(self.scripts) > 1 else self.scripts[0]:
                    if not self._play(client, step):
                        return

    def _receive(self, client: socket.socket) -> bool:
        data = b""
        while b"\r\n\r\n" not in data:
            more = client.recv(65536)
            if not more:
                return False
            data += more
        head, _, body = data.partition(b"\r\n\r\n")
        length = int(head.lower().partition(b"content-length: ")[2].split(b"\r\n")[0] or 0)
        while len(body) < length:
            body += client.recv(65536)
        self.requests.append(head + b"\r\n\r\n" + body)
        return True

    def _play(self, client: socket.socket, step: Step) -> bool:
        if isinstance(step, bytes):
            self.sent_ns.append(time.monotonic_ns())
            client.sendall(step)
            return True
        if isinstance(step, float):
            threading.Event().wait(step)
            return True
        if step == "reset":
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        return False
