from __future__ import annotations

from typing import Any

from jobs.progress import Context


def handle(context: Context) -> dict[str, Any]:
    """Returns what JSON cannot hold."""
    return {"ttft_ms": float("nan")}
