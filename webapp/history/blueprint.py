"""The area's blueprint, apart so that every module of views can hang on it."""

from __future__ import annotations

from collections.abc import Iterable

from flask import Blueprint

bp = Blueprint("history", __name__)

# Ids are SQLite's integers; a larger number names nothing.
ID_MAX = 2**63 - 1


def ids(values: Iterable[str]) -> list[int]:
    """Those of the texts that can be the id of a row, each once, in their order."""
    found = (int(text) for text in values if text.isascii() and text.isdecimal())
    return list(dict.fromkeys(number for number in found if number <= ID_MAX))
