"""Register, sign in, sign out."""

from __future__ import annotations

import math
from typing import cast

from flask import Blueprint, Response, current_app, flash, request, session, url_for
from flask_login import current_user, login_user, logout_user

from webapp import formats, htmx
from webapp.access import public
from webapp.auth import accounts, lockout, passwords
from webapp.auth.redirects import safe_next
from webapp.extensions import limiter
from webapp.models import User
from webapp.settings import Settings

bp = Blueprint("auth", __name__)
bp.record_once(lambda state: accounts.ensure_admin(state.app.extensions["studio"]))

_FLOOD = "30 per minute; 200 per hour"


@bp.get("/login")
@public
def login() -> Response:
    """The sign-in page."""
    if current_user.is_authenticated:
        return htmx.go(_next())
    return _form("login")


@bp.post("/login")
@public
@limiter.limit(_FLOOD)
def sign_in() -> Response:
    """Check address and password; a locked pair is told how long it has to wait."""
    email = accounts.normal(request.form.get("email", ""))[: accounts.EMAIL_MAX]
    try:
        attempt = lockout.begin(email, request.remote_addr or "")
    except lockout.Locked as lock:
        return _locked(lock.seconds)
    user = passwords.owner(email, request.form.get("password", ""))
    if user is None:
        return _form("login", {"password": "Address and password do not match."}, status=422)
    lockout.succeed(attempt, user.id)
    return _enter(user)


@bp.get("/register")
@public
def register() -> Response:
    """The page that makes an account."""
    if current_user.is_authenticated:
        return htmx.go(_next())
    return _form("register")


@bp.post("/register")
@public
@limiter.limit(_FLOOD)
def sign_up() -> Response:
    """Make an account and sign in; whoever comes while there is no administrator is one."""
    email, password = request.form.get("email", ""), request.form.get("password", "")
    try:
        user = accounts.create(_settings(), email, password, registers=True)
    except accounts.AccountError as error:
        return _form("register", error.errors, status=422)
    return _enter(user)


@bp.post("/logout")
def logout() -> Response:
    """End this session."""
    logout_user()
    session.clear()
    flash("You are signed out.", "ok")
    return htmx.go(url_for("home.index"))


def _settings() -> Settings:
    return cast(Settings, current_app.extensions["studio"])


def _enter(user: User) -> Response:
    session.clear()
    login_user(user)
    session.permanent = True
    return htmx.go(_next())


def _next() -> str:
    return safe_next(request.values.get("next")) or url_for("home.index")


def _form(name: str, errors: dict[str, str] | None = None, status: int = 200) -> Response:
    values = {"email": request.form.get("email", ""), "next": request.values.get("next", "")}
    pages = f"auth/{name}.html", f"auth/_{name}.html"
    return htmx.page(*pages, status=status, errors=errors or {}, values=values)


def _locked(seconds: float) -> Response:
    wait = formats.duration(max(60, seconds))
    sentence = f"Too many failed attempts. Try again in {wait}."
    response = _form("login", {"password": sentence}, status=429)
    response.headers["Retry-After"] = str(math.ceil(seconds))
    return response
