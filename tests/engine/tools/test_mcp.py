"""MCP: a real server's tools arrive whole, and a bad server gets one clear sentence."""

from __future__ import annotations

import json
import socket
import sys
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest

from engine.tools.mcp import McpCommand, McpProblem, McpServer, Transport, list_tools
from tests.engine.tools.mcp_servers import (
    TOOLS,
    BadServer,
    RealServer,
    bad_server,
    greet,
    real_server,
    reply,
    result,
    schema,
)

KEY = "Bearer secret-0123456789"


@pytest.fixture(scope="module")
def real() -> Iterator[RealServer]:
    with real_server() as server:
        yield server


@pytest.fixture
def bad() -> Iterator[BadServer]:
    with bad_server() as server:
        yield server


def refusal(url: str, timeout_s: float = 10, **fields: Any) -> str:
    server = McpServer(url, headers={"authorization": KEY}, **{"allow_private": True, **fields})
    with pytest.raises(McpProblem) as caught:
        list_tools(server, timeout_s)
    assert KEY not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize(
    ("path", "asked", "used"),
    [("/mcp", "auto", "http"), ("/sse", "sse", "sse"), ("/sse", "auto", "sse")],
)  # fmt: skip
def test_a_hundred_tools_on_four_pages_arrive_in_order(
    real: RealServer, path: str, asked: Transport, used: str
) -> None:
    found = list_tools(McpServer(real.base + path, asked, {"x-key": "k"}, allow_private=True))
    assert (found.server, found.transport, found.pages) == ("library", used, 4)
    assert [tool.name for tool in found.tools] == [f"lookup_{n}" for n in range(TOOLS)]
    assert found.tools[7].description == "Look number 7 up."
    assert found.tools[7].original == schema(7)
    assert found.duration_ms < 5_000
    if used == "sse":
        assert real.seen[-1]["x-key"] == "k"


def test_a_private_address_is_refused_where_private_ones_are(real: RealServer) -> None:
    sentence = refusal(f"{real.base}/mcp", allow_private=False)
    assert sentence.startswith("127.0.0.1 is a private address")


def test_a_path_without_mcp_says_where_it_usually_is(real: RealServer) -> None:
    sentence = refusal(f"{real.base}/elsewhere")
    assert "has nothing at that path (HTTP 404). Check the URL; many end in /mcp" in sentence


@pytest.mark.parametrize("url", ["ftp://example.org", "nonsense", "http://[::1", "http://h:0/"])
def test_what_is_no_address_is_refused(url: str) -> None:
    assert refusal(url) == "Give the server's URL, such as https://example.org/mcp."


def test_nobody_there_and_no_such_name() -> None:
    with socket.create_server(("127.0.0.1", 0)) as unused:
        port = unused.getsockname()[1]
    assert refusal(f"http://127.0.0.1:{port}/mcp").endswith("Is it running there?")
    assert "finds no host 'nowhere.invalid'" in refusal("http://nowhere.invalid/mcp")


def test_a_header_that_cannot_be_sent_is_named_and_not_shown() -> None:
    server = McpServer("http://127.0.0.1:9/mcp", headers={"x-key": "a\r\nb: c"})
    with pytest.raises(McpProblem, match=r"^The header 'x-key' has a character"):
        list_tools(server)


def tool(name: str) -> dict[str, Any]:
    return {"name": name, "inputSchema": {"type": "object"}}


def test_pages_without_end_are_stopped(bad: BadServer) -> None:
    def script(client: socket.socket, head: str, asked: dict[str, Any], _: Any) -> None:
        if not greet(client, head, asked):
            number = bad.requests
            page = {"tools": [tool(f"t{number}")], "nextCursor": f"after-{number}"}
            result(client, asked, page)

    bad.script = script
    assert refusal(bad.url).endswith("lists more than 50 pages; reading was stopped.")


def test_pages_in_a_circle_too_many_tools_and_two_of_one_name(bad: BadServer) -> None:
    pages: list[dict[str, Any]] = [{"tools": [], "nextCursor": "again"}]

    def script(client: socket.socket, head: str, asked: dict[str, Any], _: Any) -> None:
        if not greet(client, head, asked):
            result(client, asked, pages[0])

    bad.script = script
    assert refusal(bad.url).endswith("lists its pages in a circle; reading was stopped.")
    pages[0] = {"tools": [tool(f"t{n}") for n in range(513)]}
    assert "lists more than 512 tools" in refusal(bad.url)
    pages[0] = {"tools": [tool("a"), tool("b"), tool("a")]}
    assert refusal(bad.url).endswith("lists the tool 'a' twice.")


def test_fifty_megabytes_of_schema_are_not_read(bad: BadServer) -> None:
    sent = []

    def script(client: socket.socket, head: str, asked: dict[str, Any], _: Any) -> None:
        if not greet(client, head, asked):
            size = 50 * 1024 * 1024
            start = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n"
            client.sendall(start + f"content-length: {size}\r\n\r\n".encode())
            for _ in range(50):
                client.sendall(b" " * 1024 * 1024)
                sent.append(1)

    bad.script = script
    assert refusal(bad.url).endswith("sent more than 8 MB; reading was stopped.")
    assert len(sent) < 30


@pytest.mark.parametrize("kind", ["application/json", "text/event-stream"])
def test_a_slow_drip_ends_with_the_time(bad: BadServer, kind: str) -> None:
    def script(
        client: socket.socket, head: str, asked: dict[str, Any], release: threading.Event
    ) -> None:
        if not greet(client, head, asked):
            start = f"HTTP/1.1 200 OK\r\ncontent-type: {kind}\r\ncontent-length: 1000000\r\n\r\n"
            client.sendall(start.encode())
            while not release.wait(0.02):
                client.sendall(b" ")

    bad.script = script
    began = time.monotonic()
    assert refusal(bad.url, 0.3).endswith("did not list its tools within 0.3 s.")
    assert time.monotonic() - began < 5


@pytest.mark.parametrize(
    "location", ["http://169.254.169.254/latest", "http://10.0.0.1/mcp", "//elsewhere.invalid/x"]
)
def test_a_redirect_to_another_address_is_not_followed(bad: BadServer, location: str) -> None:
    def script(client: socket.socket, _head: str, _asked: dict[str, Any], _: Any) -> None:
        reply(client, b"", "307 Temporary Redirect", f"location: {location}")

    bad.script = script
    host = location.split("/")[2]
    assert f"redirects to http://{host}, and another host is never followed" in refusal(bad.url)


@pytest.mark.parametrize(
    ("status", "sentence"),
    [
        ("401 Unauthorized", "give its key as a header"),
        ("403 Forbidden", "refused the key (HTTP 403)"),
        ("429 Too Many Requests", "limits the rate"),
        ("500 Oops", "answered HTTP 500."),
        ("200 OK", "does not speak MCP"),
    ],
)
def test_a_server_that_refuses_or_talks_of_something_else(
    bad: BadServer, status: str, sentence: str
) -> None:
    def script(client: socket.socket, _head: str, _asked: dict[str, Any], _: Any) -> None:
        reply(client, b'{"hello": 1}', status)

    bad.script = script
    assert sentence in refusal(bad.url)


@pytest.mark.parametrize(
    "page",
    [
        {"tools": [{"name": "", "inputSchema": {"type": "object"}}]},
        {"tools": [{"name": "x" * 500, "inputSchema": {"type": "object"}}]},
        {"tools": "many"},
        {},
    ],
)
def test_tools_that_are_none_are_refused(bad: BadServer, page: dict[str, Any]) -> None:
    def script(client: socket.socket, head: str, asked: dict[str, Any], _: Any) -> None:
        if not greet(client, head, asked):
            result(client, asked, page)

    bad.script = script
    assert "without a usable name" in refusal(bad.url) or "does not speak MCP" in refusal(bad.url)


def test_an_answer_cut_in_the_middle_and_a_compressed_one(bad: BadServer) -> None:
    packed: list[bool] = [False]

    def script(client: socket.socket, head: str, asked: dict[str, Any], _: Any) -> None:
        if greet(client, head, asked):
            return
        if packed[0]:
            reply(client, b"\x1f\x8b", "200 OK", "content-encoding: gzip")
        start = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 99\r\n\r\n{"
        client.sendall(start)
        client.shutdown(socket.SHUT_RDWR)

    bad.script = script
    assert "broke off while it listed" in refusal(bad.url)
    packed[0] = True
    assert "compresses its answer" in refusal(bad.url)


def test_an_event_that_is_too_large_ends_a_listing_over_sse(bad: BadServer) -> None:
    streams: list[socket.socket] = []

    def script(
        client: socket.socket, head: str, asked: dict[str, Any], release: threading.Event
    ) -> None:
        if head.startswith("GET"):
            streams.append(client)
            start = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n"
            client.sendall(start + b"event: endpoint\ndata: /messages\n\n")
            release.wait(10)
            return
        reply(client, b"", "202 Accepted")
        if asked.get("method") == "initialize":
            streams[0].sendall(b"event: message\ndata: " + b"x" * 2_000_000 + b"\n\n")

    bad.script = script
    assert "sent an event that is too large" in refusal(bad.url, transport="sse")


def test_a_server_without_tools_says_so(bad: BadServer) -> None:
    def script(client: socket.socket, head: str, asked: dict[str, Any], _: Any) -> None:
        if not greet(client, head, asked):
            greet(client, head, asked | {"method": "unknown"})

    bad.script = script
    assert refusal(bad.url).endswith("speaks MCP and has no tools to list.")


def test_a_server_that_does_not_take_the_goodbye_is_left(
    bad: BadServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("engine.tools.mcp._GOODBYE_S", 0.2)
    ended: list[str] = []

    def script(
        client: socket.socket, head: str, asked: dict[str, Any], release: threading.Event
    ) -> None:
        if head.startswith("DELETE"):
            ended.append(head)
            release.wait(10)
        elif asked.get("method") == "initialize":
            told = {"protocolVersion": "2025-06-18", "capabilities": {},
                    "serverInfo": {"name": "bad", "version": "1"}}  # fmt: skip
            body = json.dumps({"jsonrpc": "2.0", "id": asked["id"], "result": told})
            reply(client, body.encode(), "200 OK", "mcp-session-id: s-1")
        elif not greet(client, head, asked):
            result(client, asked, {"tools": [tool("a")]})

    bad.script = script
    found = list_tools(McpServer(bad.url, allow_private=True), 10)
    assert [tool.name for tool in found.tools] == ["a"]
    assert len(ended) == 1


STDIO = """
import json, sys
for line in sys.stdin:
    asked = json.loads(line)
    if "id" not in asked:
        continue
    told = {"protocolVersion": "2025-06-18", "capabilities": {"tools": {}},
            "serverInfo": {"name": "local", "version": "1"}}
    if asked["method"] == "tools/list":
        told = {"tools": [{"name": "ping", "inputSchema": {"type": "object"}}]}
    print(json.dumps({"jsonrpc": "2.0", "id": asked["id"], "result": told}), flush=True)
"""


def test_an_allowed_command_is_started_and_ended() -> None:
    found = list_tools(McpCommand(sys.executable, ("-c", STDIO)))
    assert (found.server, found.transport) == ("local", "stdio")
    assert [tool.name for tool in found.tools] == ["ping"]


def test_a_command_that_is_not_there_is_named() -> None:
    with pytest.raises(McpProblem, match="The command 'no-such-program' cannot be started"):
        list_tools(McpCommand("no-such-program"))
