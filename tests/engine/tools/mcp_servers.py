"""MCP servers for tests: a real one of the SDK's, and one that behaves as badly as it is told."""

from __future__ import annotations

import asyncio
import json
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import uvicorn
from mcp.server.lowlevel import Server
from mcp.server.sse import SseServerTransport
from mcp.types import ListToolsResult, PaginatedRequestParams, Tool
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Mount, Route

TOOLS = 100
PAGE = 30
PLACE = {"type": "object", "properties": {"lat": {"type": "number"}, "lon": {"type": "number"}}}


def schema(number: int) -> dict[str, Any]:
    """With a reference, something that may be null, and a definition that holds itself."""
    return {
        "type": "object",
        "properties": {
            "city": {"type": "string", "title": "City"},
            "place": {"$ref": "#/$defs/Place", "description": "Where"},
            "days": {"anyOf": [{"type": "integer"}, {"type": "null"}], "default": None},
            "folder": {"$ref": "#/$defs/Folder"},
        },
        "required": ["city"],
        "$defs": {
            "Place": PLACE,
            "Folder": {
                "type": "object",
                "properties": {"parts": {"type": "array", "items": {"$ref": "#/$defs/Folder"}}},
            },
        },
        "title": f"tool {number}",
    }


async def _list_tools(_context: Any, params: PaginatedRequestParams | None) -> ListToolsResult:
    first = int(params.cursor) if params and params.cursor else 0
    numbers = range(first, min(first + PAGE, TOOLS))
    tools = [
        Tool(name=f"lookup_{n}", description=f"Look number {n} up.", input_schema=schema(n))
        for n in numbers
    ]
    more = str(first + PAGE) if first + PAGE < TOOLS else None
    return ListToolsResult(tools=tools, next_cursor=more)


def _application(seen: list[dict[str, str]]) -> Starlette:
    server: Any = Server("library", version="1", on_list_tools=_list_tools)
    sse = SseServerTransport("/messages/")

    async def connect(request: Request) -> Response:
        seen.append(dict(request.headers))
        send = request._send
        async with sse.connect_sse(request.scope, request.receive, send) as (reader, writer):
            await server.run(reader, writer, server.create_initialization_options())
        return Response()

    app: Starlette = server.streamable_http_app()
    app.router.routes += [
        Route("/sse", connect, methods=["GET"]),
        Mount("/messages/", sse.handle_post_message),
    ]
    return app


class RealServer:
    """The server's address; `seen` holds the headers of each SSE connection."""

    def __init__(self, port: int, seen: list[dict[str, str]]) -> None:
        self.base, self.seen = f"http://127.0.0.1:{port}", seen


@contextmanager
def real_server() -> Iterator[RealServer]:
    """The SDK's server over streamable HTTP at /mcp and over SSE at /sse."""
    listener = socket.create_server(("127.0.0.1", 0))
    seen: list[dict[str, str]] = []
    config = uvicorn.Config(
        _application(seen), log_level="critical", timeout_graceful_shutdown=1, ws="none"
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=asyncio.run, args=(server.serve([listener]),))
    thread.start()
    try:
        yield RealServer(listener.getsockname()[1], seen)
    finally:
        server.should_exit = True
        thread.join(10)
        listener.close()


Script = Callable[[socket.socket, str, dict[str, Any], threading.Event], None]


class BadServer:
    """A raw socket; `script` answers each request, given its head and JSON body."""

    def __init__(self) -> None:
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.release = threading.Event()
        self.script: Script | None = None
        self.requests = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.listener.getsockname()[1]}/mcp"

    def serve(self) -> None:
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self._talk, args=(client,), daemon=True).start()

    def _talk(self, client: socket.socket) -> None:
        with client:
            try:
                while self.script is not None and self._one(client):
                    pass
            except OSError:
                return

    def _one(self, client: socket.socket) -> bool:
        data = b""
        while b"\r\n\r\n" not in data:
            part = client.recv(65_536)
            if not part:
                return False
            data += part
        head, _, body = data.partition(b"\r\n\r\n")
        lines = head.decode().split("\r\n")
        fields = dict(line.lower().split(": ", 1) for line in lines[1:])
        while len(body) < int(fields.get("content-length", 0)):
            body += client.recv(65_536)
        self.requests += 1
        assert self.script is not None
        self.script(client, head.decode(), json.loads(body) if body else {}, self.release)
        return True


def reply(client: socket.socket, body: bytes, status: str = "200 OK", *fields: str) -> None:
    """A complete HTTP answer."""
    head = [f"HTTP/1.1 {status}", "content-type: application/json", *fields]
    head.append(f"content-length: {len(body)}")
    client.sendall(("\r\n".join(head) + "\r\n\r\n").encode() + body)


def result(client: socket.socket, asked: dict[str, Any], data: dict[str, Any]) -> None:
    """A JSON-RPC result."""
    reply(client, json.dumps({"jsonrpc": "2.0", "id": asked.get("id"), "result": data}).encode())


def greet(client: socket.socket, head: str, asked: dict[str, Any]) -> bool:
    """Answer everything but tools/list as a good server does; whether that was it."""
    method = asked.get("method", "")
    if head.startswith("GET"):
        reply(client, b"", "405 Method Not Allowed")
    elif method == "initialize":
        version = asked["params"]["protocolVersion"]
        info = {"name": "bad", "version": "1"}
        told = {"protocolVersion": version, "capabilities": {"tools": {}}, "serverInfo": info}
        result(client, asked, told)
    elif method.startswith("notifications/"):
        reply(client, b"", "202 Accepted")
    elif method == "tools/list":
        return False
    else:
        error = {"code": -32601, "message": "Method not found"}
        body = {"jsonrpc": "2.0", "id": asked.get("id"), "error": error}
        reply(client, json.dumps(body).encode())
    return True


@contextmanager
def bad_server() -> Iterator[BadServer]:
    bad = BadServer()
    thread = threading.Thread(target=bad.serve)
    thread.start()
    try:
        yield bad
    finally:
        bad.release.set()
        bad.listener.shutdown(socket.SHUT_RDWR)
        bad.listener.close()
        thread.join(10)
