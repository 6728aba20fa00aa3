"""The area's blueprint, apart so that every module of views can hang on it."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from flask import Blueprint, current_app

if TYPE_CHECKING:
    from webapp.settings import Settings

bp = Blueprint("settings_pages", __name__, url_prefix="/settings")


def settings() -> Settings:
    """The settings of this installation."""
    return cast("Settings", current_app.extensions["studio"])
