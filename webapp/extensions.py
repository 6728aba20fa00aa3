"""The Flask extensions: one instance each, bound to the application in `init_app`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask_limiter import Limiter
from flask_limiter.util import get_remote_address
from flask_login import LoginManager
from flask_sock import Sock
from flask_wtf.csrf import CSRFProtect

if TYPE_CHECKING:
    from flask import Flask

csrf = CSRFProtect()
login_manager = LoginManager()
# Counts in memory, so per web process: a brake on floods. The lock that has to hold
# everywhere (failed sign-ins) is kept in the database, in webapp/auth/lockout.py.
limiter = Limiter(get_remote_address, storage_uri="memory://", headers_enabled=True)
sock = Sock()


def init_app(app: Flask) -> None:
    """Bind every extension to `app`."""
    csrf.init_app(app)
    login_manager.init_app(app)
    limiter.init_app(app)
    sock.init_app(app)
