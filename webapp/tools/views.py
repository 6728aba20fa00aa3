"""Pages of this area: suites and their editors, evaluations, cells, comparisons."""

from __future__ import annotations

from webapp.tools import (
    cell,
    cell_views,
    compare_views,
    edit_views,
    eval_views,
    history_views,
    live,
    mcp_views,
    new_views,
    run_views,
    suite_views,
    words,
)
from webapp.tools.blueprint import bp

__all__ = [
    "bp",
    "cell_views",
    "compare_views",
    "edit_views",
    "eval_views",
    "history_views",
    "live",
    "mcp_views",
    "new_views",
    "run_views",
    "suite_views",
]

bp.app_template_filter("error_word")(words.error)
bp.app_template_filter("score_part")(words.part)
bp.app_template_filter("passes")(words.passes)
bp.app_template_filter("rate_interval")(words.interval)
bp.app_template_filter("call_text")(cell.call_text)
