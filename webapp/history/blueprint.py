"""The area's blueprint, apart so that every module of views can hang on it."""

from __future__ import annotations

from flask import Blueprint

bp = Blueprint("history", __name__)
