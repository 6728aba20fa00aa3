"""What every answer carries: safe headers, a request id, and forms that only we can send."""

from __future__ import annotations

import json
import logging
import re
from dataclasses import replace
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from tests.webapp.conftest import HTMX, Person, sign_in
from webapp import create_app, db, logs
from webapp.models import User
from webapp.settings import Settings

TEMPLATES = Path(__file__).parents[2] / "templates"
STATIC = Path(__file__).parents[2] / "static"


@pytest.mark.parametrize("path", ["/", "/login", "/nothing-here", "/static/css/base.css"])
def test_every_answer_forbids_what_is_not_ours(nobody: FlaskClient, path: str) -> None:
    with nobody.get(path) as answer:
        headers = answer.headers

    policy = dict(part.split(" ", 1) for part in headers["Content-Security-Policy"].split("; "))
    assert policy["default-src"] == "'none'"
    assert policy["frame-ancestors"] == policy["base-uri"] == "'none'"
    assert {policy[name] for name in ("script-src", "style-src", "form-action")} == {"'self'"}
    assert "unsafe" not in headers["Content-Security-Policy"]
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "same-origin"
    assert "camera=()" in headers["Permissions-Policy"]
    assert "Strict-Transport-Security" not in headers


def test_pages_are_not_kept_by_caches_but_files_are(nobody: FlaskClient) -> None:
    assert nobody.get("/").headers["Cache-Control"] == "no-store"
    with nobody.get("/static/css/base.css") as answer:
        assert answer.headers["Cache-Control"] == "no-cache"


def test_https_is_remembered_where_cookies_are_secure(settings: Settings) -> None:
    client = create_app(replace(settings, cookie_secure=True)).test_client()

    answer = client.get("/login", base_url="https://studio.example.org")

    assert answer.headers["Strict-Transport-Security"].startswith("max-age=31536000")
    assert "Secure" in answer.headers["Set-Cookie"]


def test_the_session_cookie_is_out_of_reach_of_scripts_and_other_sites(
    nobody: FlaskClient,
) -> None:
    cookie = nobody.get("/login").headers["Set-Cookie"]

    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie


def test_a_request_id_is_made_or_taken_over(nobody: FlaskClient) -> None:
    first, second = (nobody.get("/healthz").headers["X-Request-ID"] for _ in range(2))
    given = nobody.get("/healthz", headers={"X-Request-ID": "proxy-0123456789"})

    assert re.fullmatch(r"[0-9a-f]{16}", first)
    assert first != second
    assert given.headers["X-Request-ID"] == "proxy-0123456789"


@pytest.mark.parametrize("bad", ["short", "x" * 65, "<b>bold</b>", "with space!", "ä" * 10])
def test_a_request_id_of_another_form_is_not_repeated(nobody: FlaskClient, bad: str) -> None:
    answer = nobody.get("/healthz", headers={"X-Request-ID": bad})

    assert answer.headers["X-Request-ID"] != bad


def posting(app: Flask) -> list[str]:
    """Every address that takes a POST, with 1 for each number."""
    rules = [r for r in app.url_map.iter_rules() if "POST" in (r.methods or ())]
    return sorted(re.sub(r"<[^>]+>", "1", rule.rule) for rule in rules)


def test_no_form_works_without_its_token(app: Flask, alice: Person) -> None:
    app.config["WTF_CSRF_ENABLED"] = True
    paths = posting(app)

    assert len(paths) > 5
    for path in paths:
        page, part = alice.post(path), alice.post(path, headers=HTMX)
        assert page.status_code == part.status_code == 400, path
        assert "Reload it and try again." in page.text, path
        assert "Reload it" in json.loads(part.headers["HX-Trigger"])["toast"]["text"], path


def test_a_form_works_with_its_token_in_field_or_header(app: Flask) -> None:
    app.config["WTF_CSRF_ENABLED"] = True
    alice = sign_in(app, "alice@example.org")
    page = alice.get("/").text
    field = re.search(r'name="csrf_token" value="([^"]+)"', page)
    header = re.search(r"hx-headers='{\"X-CSRFToken\": \"([^\"]+)\"}'", page)
    assert field is not None
    assert header is not None

    by_field = alice.post("/theme", data={"theme": "dark", "csrf_token": field[1]})
    by_header = alice.post(
        "/theme", data={"theme": "light"}, headers={**HTMX, "X-CSRFToken": header[1]}
    )

    assert (by_field.status_code, by_header.status_code) == (303, 204)
    assert User.get_by_id(alice.user.id).theme == "light"


def test_a_request_leaves_no_connection_open(settings: Settings) -> None:
    client = create_app(settings).test_client()

    for path in ("/login", "/nothing-here", "/readyz"):
        client.get(path)
        assert db.database.is_closed(), path


def test_log_lines_are_json_when_asked_for(app: Flask, capsys: pytest.CaptureFixture[str]) -> None:
    record = logging.LogRecord("studio", logging.ERROR, __file__, 1, "no %s", ("luck",), None)
    with app.test_request_context():
        app.preprocess_request()
        logs.RequestIdFilter().filter(record)

    line = json.loads(logs.JsonFormatter().format(record))

    assert line["message"] == "no luck"
    assert line["level"] == "error"
    assert re.fullmatch(r"[0-9a-f]{16}", line["request_id"])


def test_templates_hold_no_script_style_or_handler_of_their_own() -> None:
    forbidden = re.compile(r"<style|<script(?![^>]*\bsrc=)|\sstyle=|\son[a-z]+=|hx-on|javascript:")

    # What is downloaded as a file of its own has its styles inside.
    served = set(TEMPLATES.rglob("*.html")) - {TEMPLATES / "tools" / "export.html"}
    for template in sorted(served):
        found = forbidden.search(template.read_text())
        assert found is None, (template, found)


def test_our_scripts_neither_evaluate_text_nor_parse_it_as_html() -> None:
    forbidden = re.compile(
        r"\beval\(|new Function|innerHTML|outerHTML|insertAdjacentHTML|\.write\("
    )

    for script in sorted((STATIC / "js").rglob("*.js")):
        assert forbidden.search(script.read_text()) is None, script
