"""Pages of this area."""

from __future__ import annotations

from flask import Blueprint

bp = Blueprint("benchmark", __name__, url_prefix="/benchmark")
