"""Where a browser may be sent after signing in."""

from __future__ import annotations

from urllib.parse import urlsplit


def safe_next(target: str | None) -> str | None:
    """`target` when it is a path on this site, else None.

    Browsers read a backslash as a slash and drop tabs and line ends, so either could turn
    a path into another host's address.
    """
    if not target or not target.isprintable() or "\\" in target:
        return None
    parts = urlsplit(target)
    local = not parts.scheme and not parts.netloc and target.startswith("/")
    return target if local and not target.startswith("//") else None
