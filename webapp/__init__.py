"""The web application. `create_app` is the only thing here; everything is imported inside
it, so that importing the package costs nothing and starts nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flask import Flask

    from webapp.settings import Settings


def create_app(settings: Settings | None = None) -> Flask:
    """Build the Flask application; `settings` defaults to those of the environment.

    Opens the database, migrates it and, except in tests, watches over the workers in a
    background thread. Raises `webapp.settings.SettingsError` when a setting is bad.
    """
    from flask import Flask

    from jobs import watchdog
    from webapp import areas, cli, db, errors, extensions, security
    from webapp.settings import Settings

    settings = settings or Settings.from_env()
    app = Flask(__name__, template_folder="../templates", static_folder="../static")
    app.config.from_mapping(settings.flask_config())
    app.extensions["studio"] = settings
    db.open_database(settings)
    if not settings.testing:
        watchdog.start_background(settings)
    security.init_app(app)
    extensions.init_app(app)
    errors.init_app(app)
    areas.init_app(app)
    cli.init_app(app)
    return app
