"""Pages of this area."""

from __future__ import annotations

from flask import Blueprint

bp = Blueprint("settings_pages", __name__, url_prefix="/settings")
