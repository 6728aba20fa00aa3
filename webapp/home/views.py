"""The start page, the theme, and the addresses that machines ask."""

from __future__ import annotations

from flask import (
    Blueprint,
    Response,
    abort,
    current_app,
    make_response,
    render_template,
    request,
    url_for,
)
from flask_login import current_user

from webapp import htmx
from webapp.access import me, public
from webapp.auth.redirects import safe_next
from webapp.home import frame, health, live, queries
from webapp.models import User
from webapp.settings import Settings

__all__ = ["bp", "live"]

bp = Blueprint("home", __name__)
bp.app_context_processor(frame.context)


@bp.get("/")
@public
def index() -> str:
    """What this is, for a stranger; what is going on, for a user."""
    if not current_user.is_authenticated:
        return render_template("home/welcome.html")
    return render_template("home/index.html", **queries.overview(me()))


@bp.post("/theme")
@public
def set_theme() -> Response:
    """Keep the chosen theme: on the account, and in a cookie for a stranger."""
    theme = request.form.get("theme", "")
    if theme not in frame.THEMES:
        return Response("Choose one of the themes offered.", 422)
    if current_user.is_authenticated:
        User.update(theme=theme).where(User.id == me().id).execute()
    back = safe_next(request.form.get("next")) or url_for("home.index")
    response = Response(status=204) if htmx.is_htmx() else htmx.go(back)
    response.set_cookie(frame.THEME_COOKIE, theme, max_age=31_536_000, samesite="Lax")
    return response


@bp.get("/parts")
@public
def parts() -> str:
    """Every component once: for administrators, and for tests of the look."""
    settings: Settings = current_app.extensions["studio"]
    if not (settings.testing or getattr(current_user, "is_admin", False)):
        abort(404)
    return render_template("home/parts.html")


@bp.get("/healthz")
@public
def healthz() -> Response:
    """200 as soon as this process serves."""
    return make_response({"status": "ok"})


@bp.get("/readyz")
@public
def readyz() -> Response:
    """200 when database, queue and a worker answer, else 503 with what does not."""
    checks = health.checks()
    ready = all(value == "ok" for value in checks.values())
    return make_response(
        {"status": "ok" if ready else "not ready", **checks}, 200 if ready else 503
    )


@bp.get("/robots.txt")
@public
def robots() -> Response:
    """Nothing here is for search engines."""
    return Response("User-agent: *\nDisallow: /\n", mimetype="text/plain")
