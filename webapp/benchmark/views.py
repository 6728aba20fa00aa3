"""Pages of this area: the form (`form_views`), and the run it starts (`run_views`)."""

from __future__ import annotations

from webapp.benchmark import form_views, live, run_views, words
from webapp.benchmark.blueprint import bp

__all__ = ["bp", "form_views", "live", "run_views"]

bp.app_template_filter("consequence")(words.consequence)
bp.app_template_filter("time_left")(words.left)
bp.app_template_filter("at_most")(words.at_most)
bp.app_template_filter("listed")(words.listed)
bp.app_template_filter("window")(words.window)
