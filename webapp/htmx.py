"""One URL, two bodies: what htmx asks for is a part of the page, what a browser asks for
is the page."""

from __future__ import annotations

import json
from typing import Any, Literal

from flask import Response, flash, make_response, redirect, render_template, request

ToastKind = Literal["ok", "bad", "info"]


def is_htmx() -> bool:
    """True when htmx asks; a history restore wants the whole page and counts as a browser."""
    headers = request.headers
    return (
        headers.get("HX-Request") == "true" and headers.get("HX-History-Restore-Request") != "true"
    )


def go(url: str) -> Response:
    """Send the browser elsewhere after work is done: 204 + HX-Redirect, or 303."""
    if is_htmx():
        response = Response(status=204)
        response.headers["HX-Redirect"] = url
        return response
    return make_response(redirect(url, 303))


def toast(
    response: Response, text: str, kind: ToastKind = "ok", undo: str | None = None
) -> Response:
    """Show `text` beside the page; `undo` is a URL that a POST takes it back with.

    Works on what htmx swaps. Before `go`, use `flash(text, kind)`: the next page shows it.
    """
    response.headers["HX-Trigger"] = json.dumps(
        {"toast": {"text": text, "kind": kind, "undo": undo}}
    )
    return response


def done(url: str, text: str, kind: ToastKind = "ok", undo: str | None = None) -> Response:
    """`go(url)` with a message that the next page shows; `undo` as for `toast`."""
    flash({"text": text, "undo": undo} if undo else text, kind)  # type: ignore[arg-type]
    return go(url)


def page(page_template: str, fragment: str, /, status: int = 200, **context: Any) -> Response:
    """Render `fragment` for htmx and `page_template`, which includes it, for a browser."""
    name = fragment if is_htmx() else page_template
    response = make_response(render_template(name, **context), status)
    response.headers["Vary"] = "HX-Request"
    return response


def form_page(page_template: str, fragment: str, /, **context: Any) -> Response:
    """The same form again with its messages and typed values: 422."""
    return page(page_template, fragment, status=422, **context)
