"""A small MCP server at /mcp: tools to list and to call, over streamable HTTP without sessions.

JSON-RPC by hand, for the demo needs no SDK (1.2 s to import) and no stream to its client.
"""

from __future__ import annotations

import json
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml

from engine.demo.connection import Connection, Request
from engine.demo.respond import respond
from engine.demo.tokens import compact

PATH = "/mcp"
PAGE = 4
_VERSIONS = ("2025-11-25", "2025-06-18", "2025-03-26")
_INFO = {"name": "demo-harbour", "title": "Harbour (simulated)", "version": "1"}


class _Fault(Exception):
    """A JSON-RPC error."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code, self.message = code, message


@lru_cache(maxsize=1)
def tools() -> list[dict[str, Any]]:
    """The tools with their answers, in listed order."""
    path = Path(__file__).parent / "mcp_tools.yaml"
    listed: list[dict[str, Any]] = yaml.safe_load(path.read_text(encoding="utf-8"))
    return listed


def answer(request: Request, connection: Connection) -> None:
    """Answer one HTTP request of a client."""
    if request.method != "POST":
        respond(connection, request, 405, b"", headers={"allow": "POST"})
        return
    status, body = _reply(request.body)
    respond(connection, request, status, b"" if body is None else compact(body).encode())


def _reply(data: bytes) -> tuple[int, dict[str, Any] | None]:
    try:
        asked = json.loads(data)
    except (ValueError, RecursionError):
        return 400, _error(None, _Fault(-32700, "The body is not JSON."))
    if not isinstance(asked, dict) or not isinstance(asked.get("method"), str):
        return 400, _error(None, _Fault(-32600, "The body is not one JSON-RPC request."))
    if "id" not in asked:
        return 202, None
    params = asked.get("params")
    try:
        result = _result(asked["method"], params if isinstance(params, dict) else {})
    except _Fault as fault:
        return 200, _error(asked["id"], fault)
    return 200, {"jsonrpc": "2.0", "id": asked["id"], "result": result}


def _error(request_id: Any, fault: _Fault) -> dict[str, Any]:
    error = {"code": fault.code, "message": fault.message}
    return {"jsonrpc": "2.0", "id": request_id, "error": error}


def _result(method: str, params: dict[str, Any]) -> dict[str, Any]:
    if method == "initialize":
        asked = params.get("protocolVersion")
        version = asked if asked in _VERSIONS else _VERSIONS[0]
        return {"protocolVersion": version, "capabilities": {"tools": {}}, "serverInfo": _INFO}
    if method == "ping":
        return {}
    if method == "tools/list":
        return _page(params.get("cursor"))
    if method == "tools/call":
        return _call(params.get("name"), params.get("arguments"))
    raise _Fault(-32601, f"The demo's MCP server has no method {method[:80]!r}.")


def _page(cursor: Any) -> dict[str, Any]:
    text = "0" if cursor is None else str(cursor)
    first = int(text) if text.isdecimal() and len(text) < 6 else -1
    if not 0 <= first < len(tools()):
        raise _Fault(-32602, "That cursor is not one of this server's.")
    shown = [
        {key: value for key, value in tool.items() if key != "answer"}
        for tool in tools()[first : first + PAGE]
    ]
    more = {"nextCursor": str(first + PAGE)} if first + PAGE < len(tools()) else {}
    return {"tools": shown, **more}


def _call(name: Any, arguments: Any) -> dict[str, Any]:
    tool = next((tool for tool in tools() if tool["name"] == name), None)
    if tool is None:
        raise _Fault(-32602, "There is no tool of that name.")
    given = arguments if isinstance(arguments, dict) else {}
    missing = [part for part in tool["inputSchema"]["required"] if part not in given]
    if missing:
        return {"isError": True, "content": _text(f"Missing: {', '.join(missing)}.")}
    found = given | tool["answer"]
    return {"content": _text(compact(found)), "structuredContent": found}


def _text(text: str) -> list[dict[str, str]]:
    return [{"type": "text", "text": text}]
