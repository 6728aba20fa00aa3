"""What every request and every response gets: an id, an open database, safe headers."""

from __future__ import annotations

import logging
import re
import secrets
import time
from typing import TYPE_CHECKING

from flask import Response, current_app, g, request

from webapp import access, db, formats, logs
from webapp.settings import Settings

if TYPE_CHECKING:
    from flask import Flask

log = logging.getLogger(__name__)

POLICY = {
    "default-src": "'none'",
    "script-src": "'self'",
    "style-src": "'self'",
    "img-src": "'self'",
    "font-src": "'self'",
    "connect-src": "'self'",
    "form-action": "'self'",
    "base-uri": "'none'",
    "frame-ancestors": "'none'",
}
CSP = "; ".join(f"{name} {value}" for name, value in POLICY.items())
HEADERS = {
    "Content-Security-Policy": CSP,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
HSTS = "max-age=31536000; includeSubDomains"
_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{8,64}")


def init_app(app: Flask) -> None:
    """Install ids, the database connection of a request, the headers, and the rule that
    pages need a user. Comes before the extensions, whose own checks may already answer."""
    settings: Settings = app.extensions["studio"]
    if not settings.testing:
        logs.configure(settings)
    app.before_request(_give_id)
    app.before_request(_open_database)
    app.teardown_request(_close_database)
    app.after_request(_add_headers)
    app.after_request(_log_request)
    access.init_app(app)
    formats.init_app(app)


def _give_id() -> None:
    given = request.headers.get("X-Request-ID", "")
    g.request_id = given if _REQUEST_ID.fullmatch(given) else secrets.token_hex(8)
    g.started = time.perf_counter()


def _open_database() -> None:
    g.database = db.connection()
    g.database.__enter__()


def _close_database(_: BaseException | None) -> None:
    if (opened := g.pop("database", None)) is not None:
        opened.__exit__(None, None, None)


def _add_headers(response: Response) -> Response:
    settings: Settings = current_app.extensions["studio"]
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)
    if settings.cookie_secure:
        response.headers.setdefault("Strict-Transport-Security", HSTS)
    if request.endpoint != "static":
        response.headers.setdefault("Cache-Control", "no-store")
    response.headers["X-Request-ID"] = g.request_id
    return response


def _log_request(response: Response) -> Response:
    fields = {
        "method": request.method,
        "path": request.path,
        "status": response.status_code,
        "duration_ms": round((time.perf_counter() - g.started) * 1000, 1),
    }
    log.info("%(method)s %(path)s %(status)s in %(duration_ms)s ms", fields, extra=fields)
    return response
