"""What every request and every response gets: an id, an open database, safe headers."""

from __future__ import annotations

import re
import secrets
from typing import TYPE_CHECKING

from flask import Response, g, request

from webapp import access, db, formats

if TYPE_CHECKING:
    from flask import Flask

CSP = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self'",
        "font-src 'self'",
        "connect-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)
HEADERS = {
    "Content-Security-Policy": CSP,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{8,64}")


def init_app(app: Flask) -> None:
    """Install request ids, the database connection of a request, the headers and the
    rule that pages need a user."""
    app.before_request(_give_id)
    app.before_request(_open_database)
    app.teardown_request(_close_database)
    app.after_request(_add_headers)
    access.init_app(app)
    formats.init_app(app)


def _give_id() -> None:
    given = request.headers.get("X-Request-ID", "")
    g.request_id = given if _REQUEST_ID.fullmatch(given) else secrets.token_hex(8)


def _open_database() -> None:
    g.database = db.connection()
    g.database.__enter__()


def _close_database(_: BaseException | None) -> None:
    if (opened := g.pop("database", None)) is not None:
        opened.__exit__(None, None, None)


def _add_headers(response: Response) -> Response:
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)
    response.headers["X-Request-ID"] = g.get("request_id", "")
    return response
