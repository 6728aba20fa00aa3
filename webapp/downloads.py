"""Answers that a browser keeps as a file."""

from __future__ import annotations

from flask import Response


def download(body: str | bytes, mimetype: str, name: str) -> Response:
    """A file to keep, named `name`."""
    response = Response(body, mimetype=mimetype)
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return response
