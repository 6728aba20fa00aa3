"""My jobs, and what can be done with one."""

from __future__ import annotations

from flask import Blueprint

bp = Blueprint("jobs_pages", __name__, url_prefix="/jobs")
