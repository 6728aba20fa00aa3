"""What every page's frame shows: navigation, theme, and htmx's settings."""

from __future__ import annotations

import json
from typing import Any, NamedTuple

from flask import current_app, request, url_for
from flask_login import current_user

THEMES = ("system", "light", "dark")
THEME_COOKIE = "theme"

# htmx swaps the answer of a refused form; other errors arrive as toasts.
HTMX_CONFIG = json.dumps(
    {
        "allowEval": False,
        "includeIndicatorStyles": False,
        "selfRequestsOnly": True,
        "historyCacheSize": 0,
        "refreshOnHistoryMiss": True,
        "responseHandling": [
            {"code": "204", "swap": False},
            {"code": "[23]..", "swap": True},
            {"code": "422", "swap": True},
            {"code": "[45]..", "swap": False, "error": True},
        ],
    }
)


class Item(NamedTuple):
    """A link of the navigation; `key` follows `g` on the keyboard."""

    label: str
    endpoint: str
    key: str


# An area whose endpoint is not there is left out.
NAVIGATION: tuple[tuple[str, tuple[Item, ...]], ...] = (
    ("Measure", (Item("Benchmark", "benchmark.index", "b"), Item("Tool Eval", "tools.index", "t"))),
    ("Understand", (Item("History", "history.index", "h"),)),
    ("Run", (Item("Jobs", "jobs_pages.index", "j"), Item("Settings", "settings_pages.index", "s"))),
)


def navigation() -> list[dict[str, Any]]:
    """The groups of links a signed-in user sees, with the current area marked."""
    if not current_user.is_authenticated:
        return []
    return [{"label": label, "items": _links(items)} for label, items in NAVIGATION]


def theme() -> str:
    """The chosen theme: the user's, or a stranger's cookie."""
    if current_user.is_authenticated:
        return str(current_user.theme)
    chosen = request.cookies.get(THEME_COOKIE, "system")
    return chosen if chosen in THEMES else "system"


def context() -> dict[str, Any]:
    """What base.html needs."""
    return {
        "navigation": navigation,
        "theme": theme(),
        "themes": THEMES,
        "htmx_config": HTMX_CONFIG,
    }


def _links(items: tuple[Item, ...]) -> list[dict[str, Any]]:
    return [
        {
            "label": item.label,
            "url": url_for(item.endpoint),
            "key": item.key,
            "current": request.blueprint == item.endpoint.partition(".")[0],
        }
        for item in items
        if item.endpoint in current_app.view_functions
    ]
