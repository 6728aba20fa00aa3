"""One module a kind of job: `handle(context) -> dict`, registered by one line."""

from __future__ import annotations

# Kind of job: the module that handles it. Modules are imported by the worker that needs them.
HANDLERS: dict[str, str] = {
    "benchmark": "jobs.handlers.benchmark",
    "tool_eval": "jobs.handlers.tool_eval",
    "key_test": "jobs.handlers.checks",
    "model_list": "jobs.handlers.checks",
    "mcp_list": "jobs.handlers.mcp_list",
}
