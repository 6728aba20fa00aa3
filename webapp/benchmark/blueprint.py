"""The blueprint of this area; its views are spread over two modules."""

from __future__ import annotations

from flask import Blueprint

bp = Blueprint("benchmark", __name__, url_prefix="/benchmark")
