"""How a listing of MCP tools is asked for, and how its headers travel: encrypted in the job's
spec, for they may be keys, and read again by the worker alone."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING

from engine.specs import McpListSpec
from engine.tools.mcp import McpCommand, McpProblem, McpServer
from webapp import vault
from webapp.catalog import read_config

if TYPE_CHECKING:
    from webapp.settings import Settings

HEADERS_MAX = 20
VALUE_MAX = 4_000
_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,100}")
# Set by the protocol; a user's own would break it, or lead it astray.
_RESERVED = frozenset(
    "accept accept-encoding connection content-encoding content-length content-type cookie "
    "expect host last-event-id mcp-protocol-version mcp-session-id te trailer transfer-encoding "
    "upgrade".split()
)


def header_problem(headers: Mapping[str, str]) -> str | None:
    """One sentence about the first header that cannot be sent; it never shows a value."""
    if len(headers) > HEADERS_MAX:
        return f"Give at most {HEADERS_MAX} headers."
    for name, value in headers.items():
        if not _NAME.fullmatch(name):
            return f"{name[:100]!r} is not the name of a header."
        if name.lower() in _RESERVED:
            return f"The header {name!r} is set by the protocol; leave it out."
        if not (value.isascii() and value.isprintable() and 0 < len(value) <= VALUE_MAX):
            return (
                f"The header {name!r} is empty, too long, or has a character that cannot be sent."
            )
    return None


def seal(settings: Settings, headers: Mapping[str, str]) -> str:
    """Headers for `McpListSpec.sealed_headers`. Raises ValueError with the sentence of
    `header_problem`, and VaultError."""
    if problem := header_problem(headers):
        raise ValueError(problem)
    return vault.encrypt(settings, json.dumps(dict(headers))).decode() if headers else ""


def server_of(spec: McpListSpec, settings: Settings) -> McpServer | McpCommand:
    """The server a spec names, with its headers in clear. Raises McpProblem for a command
    that config.yaml does not allow, and VaultError."""
    if spec.command:
        found = read_config(settings).mcp_commands.get(spec.command)
        if found is None:
            raise McpProblem(
                f"This server allows no MCP command {spec.command!r}: an operator can add it "
                "under mcp_commands in config.yaml."
            )
        return McpCommand(found.command, found.args, found.env)
    headers = vault.decrypt(settings, spec.sealed_headers.encode()) if spec.sealed_headers else "{}"
    return McpServer(
        spec.url, spec.transport, json.loads(headers), settings.allow_private_endpoints
    )
