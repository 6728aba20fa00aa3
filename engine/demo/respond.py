"""Response heads, and answers that are complete at once."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus

from engine.demo.connection import Connection, Request

JSON = "application/json"
HTML = "text/html; charset=utf-8"


def head(
    request: Request,
    status: int,
    content_type: str,
    *,
    length: int | None = None,
    headers: Mapping[str, str] | None = None,
) -> bytes:
    """Status line and headers; without `length` the body is chunked, or ends with the
    connection where the client speaks HTTP/1.0."""
    if length is None and not request.chunked_ok:
        request.keep_alive = False
    fields = {"content-type": content_type, "server": "demo", "cache-control": "no-store"}
    if length is not None:
        fields["content-length"] = str(length)
    elif request.chunked_ok:
        fields["transfer-encoding"] = "chunked"
    fields["connection"] = "keep-alive" if request.keep_alive else "close"
    fields |= headers or {}
    lines = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
    return f"HTTP/1.1 {status} {HTTPStatus(status).phrase}\r\n{lines}\r\n".encode("latin-1")


def respond(
    connection: Connection,
    request: Request,
    status: int,
    body: bytes,
    content_type: str = JSON,
    *,
    headers: Mapping[str, str] | None = None,
) -> None:
    """Send a whole response and end the exchange."""
    start = head(request, status, content_type, length=len(body), headers=headers)
    connection.send(start if request.method == "HEAD" else start + body)
    connection.finish()
