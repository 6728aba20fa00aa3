"""The tools of an MCP server, listed through the `mcp` SDK within limits that hold whatever
the server does. The SDK takes 1.2 s to import, so only functions import it."""

from __future__ import annotations

import asyncio
import logging
import os
import time
from collections.abc import AsyncIterator, Coroutine, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import urlsplit

from pydantic import ValidationError

from engine.cancel import Cancelled, CancelToken
from engine.tools.mcp_failures import McpProblem, TryOther, explained, only_known, server_failures
from engine.tools.mcp_schema import mapped
from engine.tools.suites import TOOLS_MAX, Tool

if TYPE_CHECKING:
    from mcp.client import Transport as SdkTransport

    from engine.tools.mcp_wire import Watch

__all__ = [
    "McpCommand",
    "McpListing",
    "McpProblem",
    "McpServer",
    "Transport",
    "list_tools",
]

TIMEOUT_S = 30.0
PAGES_MAX = 50
_CANCEL_POLL_S = 0.2
# A session is ended politely; a server that takes longer is left.
_GOODBYE_S = 1.0
Transport = Literal["auto", "http", "sse"]


@dataclass(frozen=True, slots=True)
class McpServer:
    """A server by its address. `headers` are sent with every request and shown to nobody;
    "auto" tries streamable HTTP first, then SSE at the same address."""

    url: str
    transport: Transport = "auto"
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    allow_private: bool = False


@dataclass(frozen=True, slots=True)
class McpCommand:
    """A server that an administrator allowed to be started here and spoken to over stdio."""

    command: str
    args: tuple[str, ...] = ()
    env: Mapping[str, str] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True)
class McpListing:
    """The tools in the server's order. `duration_ms` is the whole conversation."""

    server: str
    transport: Literal["http", "sse", "stdio"]
    tools: tuple[Tool, ...]
    pages: int
    duration_ms: float


def list_tools(
    server: McpServer | McpCommand,
    timeout_s: float = TIMEOUT_S,
    cancel: CancelToken | None = None,
) -> McpListing:
    """Ask for every page of tools. Blocks; raises McpProblem, and Cancelled by `cancel`."""
    listing = asyncio.run(_unless(cancel or CancelToken(), _within(server, timeout_s)))
    if listing is None:
        raise Cancelled((cancel and cancel.reason) or "cancelled")
    return listing


async def _unless(cancel: CancelToken, work: Coroutine[Any, Any, McpListing]) -> McpListing | None:
    """What `work` answers, or None when `cancel` ended it before."""
    task = asyncio.create_task(work)
    while not task.done():
        await asyncio.wait([task], timeout=_CANCEL_POLL_S)
        if cancel.reason and task.cancel():
            await asyncio.wait([task])
    return None if task.cancelled() else task.result()


async def _within(server: McpServer | McpCommand, timeout_s: float) -> McpListing:
    # Whatever fails becomes one sentence; the SDK would log tracebacks beside it.
    logging.getLogger("mcp").setLevel(logging.CRITICAL)
    start = time.monotonic()
    if isinstance(server, McpCommand):
        return await _attempt(server, "stdio", start, start + timeout_s)
    _check_address(server)
    if server.transport != "auto":
        return await _attempt(server, server.transport, start, start + timeout_s)
    try:
        return await _attempt(server, "http", start, start + timeout_s)
    except TryOther as error:
        try:
            return await _attempt(server, "sse", start, start + timeout_s)
        except McpProblem:
            raise McpProblem(str(error)) from None


async def _attempt(
    server: McpServer | McpCommand,
    kind: Literal["http", "sse", "stdio"],
    start: float,
    deadline: float,
) -> McpListing:
    """One conversation; every way in which it can end badly becomes one sentence."""
    import anyio

    from engine.tools.mcp_wire import Watch

    watch = Watch(_where(server), sse=kind == "sse")
    found: list[_Found] = []
    problem: Exception | None = None
    with anyio.move_on_after(deadline - time.monotonic()) as scope:
        watch.end, watch.scope = scope.cancel, scope
        try:
            await _conversation(server, kind, watch, deadline, found)
        except server_failures() as error:
            problem = error
        except ExceptionGroup as group:
            problem = only_known(group)
    if watch.sentence and not found:
        raise McpProblem(watch.sentence)
    if found:
        name, tools, pages = found[0]
        ms = (time.monotonic() - start) * 1e3
        return McpListing(name, kind, _tools(tools, watch.where), pages, ms)
    if problem is None:
        took = deadline - start
        raise McpProblem(f"{watch.where} did not list its tools within {took:g} s.")
    raise explained(problem, watch, kind)


# The server's name, its tools as the SDK has them, and how many pages they took.
_Found = tuple[str, list[Any], int]


async def _conversation(
    server: McpServer | McpCommand, kind: str, watch: Watch, deadline: float, found: list[_Found]
) -> None:
    """Put what was found into `found`; how the server takes the goodbye does not matter then."""
    import anyio
    from mcp import Client
    from mcp.types import Implementation

    async with AsyncExitStack() as stack:
        transport = await stack.enter_async_context(_transport(server, kind, watch))
        client = Client(
            transport,
            mode="auto" if kind == "http" else "legacy",
            read_timeout_seconds=max(deadline - time.monotonic(), 0.1),
            client_info=Implementation(name="llm-benchmark-studio", version="1"),
            cache=None,
        )
        await stack.enter_async_context(client)
        tools, pages = await _all_pages(client, watch)
        info = client.server_info
        found.append(((info.name if info else ""), tools, pages))
        watch.until(anyio.current_time() + _GOODBYE_S)


async def _all_pages(client: Any, watch: Watch) -> tuple[list[Any], int]:
    tools: list[Any] = []
    cursor: str | None = None
    seen: set[str | None] = set()
    for page in range(1, PAGES_MAX + 1):
        seen.add(cursor)
        result = await client.list_tools(cursor=cursor)
        tools += result.tools
        cursor = result.next_cursor
        if len(tools) > TOOLS_MAX:
            raise McpProblem(
                f"{watch.where} lists more than {TOOLS_MAX} tools, the most a suite has."
            )
        if cursor is None:
            return tools, page
        if cursor in seen:
            raise McpProblem(f"{watch.where} lists its pages in a circle; reading was stopped.")
    raise McpProblem(f"{watch.where} lists more than {PAGES_MAX} pages; reading was stopped.")


@asynccontextmanager
async def _transport(
    server: McpServer | McpCommand, kind: str, watch: Watch
) -> AsyncIterator[SdkTransport]:
    import httpx2
    from mcp.client.sse import sse_client
    from mcp.client.stdio import StdioServerParameters, stdio_client
    from mcp.client.streamable_http import streamable_http_client

    from engine.tools.mcp_wire import BYTES_MAX, WatchedTransport

    if isinstance(server, McpCommand):
        asked = StdioServerParameters(
            command=server.command, args=list(server.args), env=dict(server.env)
        )
        with open(os.devnull, "w", encoding="utf-8") as nowhere:  # noqa: PTH123, ASYNC230
            yield stdio_client(asked, errlog=nowhere)
        return

    def client(
        headers: dict[str, str] | None = None,
        timeout: httpx2.Timeout | None = None,
        auth: httpx2.Auth | None = None,
    ) -> httpx2.AsyncClient:
        return httpx2.AsyncClient(
            transport=WatchedTransport(watch, server.allow_private),
            headers={"accept-encoding": "identity", **server.headers},
            timeout=httpx2.Timeout(TIMEOUT_S),
            trust_env=False,
        )

    if kind == "sse":
        yield sse_client(server.url, httpx_client_factory=client)
    else:
        async with client() as http:
            yield streamable_http_client(server.url, http_client=http, max_sse_event_size=BYTES_MAX)


def _tools(listed: list[Any], where: str) -> tuple[Tool, ...]:
    tools = {tool.name: _tool(tool, where) for tool in listed}
    if len(tools) < len(listed):
        names = [tool.name for tool in listed]
        twice = next(name for name in names if names.count(name) > 1)
        raise McpProblem(f"{where} lists the tool {twice[:200]!r} twice.")
    return tuple(tools.values())


def _tool(listed: Any, where: str) -> Tool:
    schema = listed.input_schema
    simple = mapped(schema)
    try:
        return Tool(
            name=listed.name,
            description=(listed.description or listed.title or "")[:20_000],
            parameters=simple,
            original=None if simple == schema else schema,
        )
    except ValidationError:
        raise McpProblem(f"{where} lists a tool without a usable name.") from None


def _where(server: McpServer | McpCommand) -> str:
    if isinstance(server, McpCommand):
        return f"The command {server.command!r}"
    return urlsplit(server.url).netloc.rpartition("@")[2]


def _check_address(server: McpServer) -> None:
    try:
        parts = urlsplit(server.url)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        usable = False
    if not usable:
        raise McpProblem("Give the server's URL, such as https://example.org/mcp.")
    for name, value in server.headers.items():
        if not (name.isascii() and value.isascii() and value.isprintable() and name.isprintable()):
            raise McpProblem(f"The header {name!r} has a character that cannot be sent.")
