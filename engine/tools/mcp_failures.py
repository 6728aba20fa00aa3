"""How a conversation with an MCP server can fail, and the one sentence for each."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import ValidationError

from engine.net import BlockedAddress, UnknownHost

if TYPE_CHECKING:
    from engine.tools.mcp_wire import Watch


class McpProblem(Exception):
    """The tools cannot be listed; the message is one sentence, without any header's value."""


class TryOther(McpProblem):
    """The address answered, but not as streamable HTTP."""


def server_failures() -> tuple[type[Exception], ...]:
    """What the SDK raises when it is the server's doing."""
    import anyio
    import httpx2
    from mcp import MCPError

    broken = (anyio.ClosedResourceError, anyio.BrokenResourceError, anyio.EndOfStream)
    wire = (httpx2.HTTPError, httpx2.StreamError, httpx2.SSEError)
    guard = (BlockedAddress, UnknownHost)
    return (MCPError, McpProblem, ValidationError, ValueError, OSError, *broken, *wire, *guard)


def only_known(group: ExceptionGroup[Exception]) -> Exception:
    """The first failure in a group; one that is not the server's doing is raised."""
    mine, others = group.split(server_failures())
    if others is not None:
        raise others
    leaf: Exception = mine or group
    while isinstance(leaf, ExceptionGroup):
        leaf = leaf.exceptions[0]
    return leaf


_STATUS = {
    401: "{where} wants to know who asks (HTTP 401): give its key as a header.",
    403: "{where} refused the key (HTTP 403): it is not valid, or may not do this.",
    404: "{where} has nothing at that path (HTTP 404). Check the URL; many end in /mcp or /sse.",
    405: "{where} does not speak MCP at that path (HTTP 405). Many URLs end in /mcp or /sse.",
    429: "{where} limits the rate (HTTP 429). Try again in a minute.",
}
# Answers that mean: not this transport, perhaps the other.
_OTHER = frozenset({400, 404, 405, 406, 415, 501})


def explained(problem: Exception, watch: Watch, kind: str) -> McpProblem:
    """The sentence for a failure. A server's own words are not used: they may hold what was
    sent to it."""
    import httpx2
    from mcp import MCPError
    from mcp.types import METHOD_NOT_FOUND

    where = watch.where
    if isinstance(problem, McpProblem):
        return problem
    if watch.status >= 400:
        told = _STATUS.get(watch.status, "{where} answered HTTP {status}.")
        sentence = told.format(where=where, status=watch.status)
        return (TryOther if kind == "http" and watch.status in _OTHER else McpProblem)(sentence)
    if isinstance(problem, MCPError) and problem.error.code == METHOD_NOT_FOUND:
        return McpProblem(f"{where} speaks MCP and has no tools to list.")
    if isinstance(problem, httpx2.SSEError):
        return McpProblem(f"{where} sent an event that is too large (1 MB over SSE) or is none.")
    if isinstance(problem, OSError) and kind == "stdio":
        return McpProblem(f"{where} cannot be started: {problem.strerror or problem}.")
    return McpProblem(f"{where} does not speak MCP, or broke off while it listed its tools.")
