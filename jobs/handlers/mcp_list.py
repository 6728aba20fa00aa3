"""List the tools of an MCP server, for a page that waits for them."""

from __future__ import annotations

import json
from typing import Any

from engine.specs import McpListSpec
from engine.tools.io.studio import lean
from engine.tools.mcp import McpCommand, McpProblem, McpServer, list_tools
from jobs.mcp_access import server_of
from jobs.progress import Context, JobFailed
from jobs.timing import QUICK_DEADLINE_S
from webapp.vault import VaultError

# Our own sentence comes before the lane's.
TIMEOUT_S = QUICK_DEADLINE_S - 2.0
# Shorter words than this are no keys, and may stand in any description.
SECRET_MIN = 8


def handle(context: Context) -> dict[str, Any]:
    """The listing: `{"server", "transport", "tools", "pages", "duration_ms"}`, the tools as
    parts of a suite (`Tool.model_validate` reads each). Fails with one sentence."""
    spec = context.spec
    if not isinstance(spec, McpListSpec):
        raise JobFailed(f"There is no listing of kind {context.job.kind!r}.")
    try:
        server = server_of(spec, context.settings)
    except (McpProblem, VaultError) as error:
        raise JobFailed(str(error)) from None
    try:
        found = list_tools(server, TIMEOUT_S, context.cancel)
    except McpProblem as error:
        raise JobFailed(_without_secrets(str(error), server)) from None
    result = {
        "server": found.server,
        "transport": found.transport,
        "tools": [lean(tool) for tool in found.tools],
        "pages": found.pages,
        "duration_ms": found.duration_ms,
    }
    cleaned: dict[str, Any] = json.loads(_without_secrets(json.dumps(result), server))
    return cleaned


def _without_secrets(text: str, server: McpServer | McpCommand) -> str:
    """A server may send back what it was sent, and what a job says is stored in clear."""
    for value in server.headers.values() if isinstance(server, McpServer) else ():
        for part in (value, *value.split()):
            if len(part) >= SECRET_MIN:
                text = text.replace(json.dumps(part)[1:-1], "…").replace(part, "…")
    return text
