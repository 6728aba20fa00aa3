from __future__ import annotations

from jobs.progress import Context


def handle(context: Context) -> dict[str, int]:
    """Raises what nobody expected, with a secret in it."""
    raise ValueError("no luck with api_key=sk-verysecretverysecret")
