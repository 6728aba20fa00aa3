"""Pages of this area: keys, providers, their models, the checks of both, and the account."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Response, render_template, url_for

from webapp import catalog, db, htmx
from webapp.settings_pages import check_views, key_views, model_views, provider_views
from webapp.settings_pages.blueprint import bp

if TYPE_CHECKING:
    from flask.blueprints import BlueprintSetupState

__all__ = ["bp", "check_views", "key_views", "model_views", "provider_views"]


@bp.record_once
def _seed(state: BlueprintSetupState) -> None:
    """Give users what is new in config.yaml since the last start."""
    with db.connection():
        catalog.seed_everybody(state.app.extensions["studio"])


@bp.get("")
def index() -> Response:
    """Settings begin with the keys."""
    return htmx.go(url_for(".keys"))


@bp.get("/account")
def account() -> str:
    """Theme and account."""
    return render_template("settings_pages/account.html")
