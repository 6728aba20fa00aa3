"""One URL, two bodies."""

from __future__ import annotations

import json

import pytest
from flask import Flask, Response, get_flashed_messages

from tests.webapp.conftest import HTMX
from webapp import htmx

RESTORE = {**HTMX, "HX-History-Restore-Request": "true"}


@pytest.mark.parametrize(
    ("headers", "expected"),
    [({}, False), (HTMX, True), (RESTORE, False), ({"HX-Request": "x"}, False)],
)
def test_htmx_is_told_from_a_browser(app: Flask, headers: dict[str, str], expected: bool) -> None:
    with app.test_request_context(headers=headers):
        assert htmx.is_htmx() is expected


def test_going_elsewhere_is_a_header_for_htmx_and_303_for_a_browser(app: Flask) -> None:
    with app.test_request_context(headers=HTMX):
        part = htmx.go("/benchmark/17")
    with app.test_request_context():
        page = htmx.go("/benchmark/17")

    assert (part.status_code, part.headers["HX-Redirect"]) == (204, "/benchmark/17")
    assert (page.status_code, page.location) == (303, "/benchmark/17")


def test_a_toast_is_ascii_whatever_it_says(app: Flask) -> None:
    with app.test_request_context():
        response = htmx.toast(Response(), "95\u202f% – “fertig”", "ok", undo="/undo")

    header = response.headers["HX-Trigger"]
    assert header.isascii()
    assert json.loads(header)["toast"] == {
        "text": "95\u202f% – “fertig”",
        "kind": "ok",
        "undo": "/undo",
    }


def test_what_was_done_is_said_on_the_next_page(app: Flask) -> None:
    with app.test_request_context():
        htmx.done("/jobs", "Resumed.")
        assert get_flashed_messages(with_categories=True) == [("ok", "Resumed.")]
