"""Every error in its three forms (docs/pages.md): for htmx, for a browser, as JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from flask import (
    Response,
    flash,
    g,
    jsonify,
    make_response,
    redirect,
    render_template,
    request,
    url_for,
)
from flask_limiter.errors import RateLimitExceeded
from flask_login import AnonymousUserMixin
from flask_wtf.csrf import CSRFError
from werkzeug.exceptions import HTTPException

from webapp.htmx import is_htmx, toast

if TYPE_CHECKING:
    from flask import Flask

# status: (heading, sentence). Sentences say what happened and what to do next.
WORDS = {
    400: ("Bad request", "The request could not be read. Reload the page and try again."),
    401: ("Sign in", "Sign in to see this page."),
    403: ("Not allowed", "Your account may not do this."),
    404: ("Not found", "There is nothing here, or it is not yours. It may have been deleted."),
    405: ("Wrong method", "This address does not take this kind of request."),
    409: ("Conflict", "This changed in the meantime. Reload the page and try again."),
    413: ("Too large", "What was sent is too large. Send 16 MB or less."),
    415: ("Wrong type", "This address does not take this kind of content."),
    422: ("Check what you typed", "Some of what was sent cannot be used."),
    426: ("Upgrade required", "This address speaks WebSocket only."),
    429: ("Too many requests", "Too many requests. Wait a little and try again."),
    500: ("Our mistake", "Something went wrong on our side. It is logged under the number below."),
    503: ("Not ready", "The service is not ready. Try again in a moment."),
}


def init_app(app: Flask) -> None:
    """Register the handlers."""
    app.register_error_handler(HTTPException, _http_error)
    app.register_error_handler(CSRFError, _csrf_error)


def wants_json() -> bool:
    """True for the API, for the .json twin of a page, and for who asks for JSON by name."""
    if request.path.startswith("/api/") or request.path.endswith(".json"):
        return True
    accept = request.accept_mimetypes
    return accept.best == "application/json"


def _csrf_error(error: CSRFError) -> Response:
    error.description = "This page is too old to send anything. Reload it and try again."
    return _http_error(error)


def _http_error(error: HTTPException) -> Response:
    status = error.code or 500
    if status < 400:
        return make_response(error.get_response())
    response = _body(status, _sentence(error, status))
    for name in ("Allow", "Retry-After"):
        if name in (given := error.get_response().headers):
            response.headers[name] = given[name]
    return response


def _sentence(error: HTTPException, status: int) -> str:
    """What a view said when it gave up, else the table's words; never a library's."""
    given = vars(error).get("description")
    if given and status != 500 and not isinstance(error, RateLimitExceeded):
        return str(given)
    return _words(status)[1]


def _words(status: int) -> tuple[str, str]:
    return WORDS.get(status) or WORDS[400 if status < 500 else 500]


def _body(status: int, sentence: str) -> Response:
    request_id = g.get("request_id", "")
    if wants_json():
        return make_response(jsonify(error=sentence, errors={}, request_id=request_id), status)
    if status == 401:
        return _to_login()
    if is_htmx():
        text = f"{sentence} ({request_id})" if status >= 500 else sentence
        return toast(make_response(text, status, {"HX-Reswap": "none"}), text, "bad")
    if status >= 500:
        # The page of a bug asks the database nothing: as for a stranger, without the bell.
        g._login_user = AnonymousUserMixin()
    page = render_template(
        "errors/error.html",
        status=status,
        heading=_words(status)[0],
        sentence=sentence,
        request_id=request_id,
    )
    return make_response(page, status)


def _to_login() -> Response:
    target = request.full_path.rstrip("?") if request.method == "GET" else None
    if is_htmx():
        current = request.headers.get("HX-Current-URL")
        login = url_for("auth.login", next=_path_of(current))
        return make_response("", 401, {"HX-Redirect": login})
    flash("Sign in to go on.", "info")
    return make_response(redirect(url_for("auth.login", next=target), 303))


def _path_of(url: str | None) -> str | None:
    if not url:
        return None
    parts = urlsplit(url)
    return f"{parts.path}?{parts.query}" if parts.query else parts.path
