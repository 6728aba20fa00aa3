"""The registry of areas: one line each, and nothing else needs to know them."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flask import Flask

# Package below `webapp` whose `views` module has a blueprint `bp`.
AREAS = (
    "auth",
    "home",
    "benchmark",
    "tools",
    "history",
    "settings_pages",
    "jobs_pages",
    "live",
)


def init_app(app: Flask) -> None:
    """Register every area's blueprint."""
    for name in AREAS:
        app.register_blueprint(import_module(f"webapp.{name}.views").bp)
