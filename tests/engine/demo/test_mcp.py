"""The demo's MCP server: the SDK's client lists and calls its tools, and strangers get errors."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from mcp import Client

from engine.demo.chat import ChatRequest, Message
from engine.demo.chat import Tool as DemoTool
from engine.demo.mcp import PAGE, tools
from engine.demo.process import DemoServer
from engine.demo.skill import intended
from engine.tools.mcp import McpServer, list_tools
from engine.tools.starters import suite_of
from engine.tools.suites import ExpectCalls
from tests.engine.demo.client import ask


def test_its_tools_are_listed_page_by_page_and_made_simple(demo: DemoServer) -> None:
    found = list_tools(McpServer(f"http://127.0.0.1:{demo.port}/mcp", allow_private=True))
    assert (found.server, found.transport) == ("demo-harbour", "http")
    assert [tool.name for tool in found.tools] == [tool["name"] for tool in tools()]
    assert found.pages == -(-len(tools()) // PAGE) > 1
    berths = next(tool for tool in found.tools if tool.name == "list_berths")
    assert berths.parameters["properties"]["nights"]["type"] == ["integer", "null"]
    assert berths.original is not None


def test_a_faultless_demo_model_answers_the_starter_cases(demo: DemoServer) -> None:
    found = list_tools(McpServer(f"http://127.0.0.1:{demo.port}/mcp", allow_private=True))
    suite = suite_of(found.tools, "Harbour")
    offered = tuple(DemoTool(t.name, t.description, t.parameters, {}) for t in suite.tools)
    for case in suite.cases:
        request = ChatRequest("m", (Message("user", case.prompt),), tools=offered)
        made = intended(request)
        if not isinstance(case.expect, ExpectCalls):
            assert made.tool is None
            continue
        [[call]] = case.expect.alternatives
        expected = {name: argument.values[0] for name, argument in call.arguments.items()}
        assert (made.tool, made.arguments) == (call.name, made.arguments | expected)


def test_the_sdks_client_calls_a_tool(demo: DemoServer) -> None:
    async def call(arguments: dict[str, Any]) -> Any:
        async with Client(f"http://127.0.0.1:{demo.port}/mcp") as client:
            return await client.call_tool("get_tide", arguments)

    told = asyncio.run(call({"harbour": "Brest", "day": "2026-05-01"}))
    assert told.structured_content == {
        "harbour": "Brest", "day": "2026-05-01", "high": "06:12", "low": "12:31", "height_m": 4.1,
    }  # fmt: skip
    failed = asyncio.run(call({"harbour": "Brest"}))
    assert failed.is_error
    assert failed.content[0].text == "Missing: day."


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b"{", 400, -32700),
        (b"[]", 400, -32600),
        (b'{"method": "x", "id": 1}', 200, -32601),
        (b'{"method": "tools/list", "id": 1, "params": {"cursor": "99"}}', 200, -32602),
        (b'{"method": "tools/list", "id": 1, "params": {"cursor": [1]}}', 200, -32602),
        (b'{"method": "tools/call", "id": 1, "params": {"name": "rm"}}', 200, -32602),
    ],
)
def test_what_cannot_be_answered_is_an_error(
    demo: DemoServer, body: bytes, status: int, code: int
) -> None:
    reply = ask(demo, body, path="/mcp")
    assert (reply.status, reply.json["error"]["code"]) == (status, code)


def test_notifications_are_taken_and_streams_are_not_offered(demo: DemoServer) -> None:
    assert ask(demo, b'{"method": "notifications/initialized"}', path="/mcp").status == 202
    reply = ask(demo, method="GET", path="/mcp")
    assert (reply.status, reply.headers["allow"]) == (405, "POST")
