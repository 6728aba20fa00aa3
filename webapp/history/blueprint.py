"""The area's blueprint, apart so that every module of views can hang on it."""

from __future__ import annotations

from collections.abc import Iterable

from flask import Blueprint

bp = Blueprint("history", __name__)

# Ids are SQLite's integers, which have at most 19 digits; a larger number names nothing.
ID_MAX = 2**63 - 1


def ids(values: Iterable[str]) -> list[int]:
    """Those of the texts that can be the id of a row, each once, in their order."""
    numbers = [int(text) for text in values if len(text) < 20 and _is_number(text)]
    return [number for number in dict.fromkeys(numbers) if number <= ID_MAX]


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdecimal()
