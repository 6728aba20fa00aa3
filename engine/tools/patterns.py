"""Regular expressions that others wrote, matched in linear time (RE2), never by `re`."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

TEXT_MAX_CHARS = 100_000
_MEMORY_BYTES = 8 << 20


class BadPattern(ValueError):
    """The pattern is none, or needs what RE2 does not have (look-around, back references)."""


@lru_cache(maxsize=1_024)
def compiled(pattern: str) -> Any:
    """The pattern, ready; BadPattern with a sentence."""
    import re2

    options = re2.Options()
    options.log_errors = False
    options.max_mem = _MEMORY_BYTES
    try:
        return re2.compile(pattern, options)
    except re2.error as error:
        raise BadPattern(f"{pattern[:80]!r} is no regular expression here: {_why(error)}") from None


def matches_whole(pattern: str, text: str) -> bool:
    """Whether the whole text matches; a text of more than TEXT_MAX_CHARS never does."""
    return len(text) <= TEXT_MAX_CHARS and compiled(pattern).fullmatch(text) is not None


def found_in(pattern: str, text: str) -> bool:
    """Whether the pattern matches somewhere, as JSON Schema means it. A pattern that RE2 does
    not know is not checked: it matches."""
    try:
        return compiled(pattern).search(text[:TEXT_MAX_CHARS]) is not None
    except BadPattern:
        return True


def _why(error: Exception) -> str:
    reason = error.args[0] if error.args else "it cannot be read"
    return reason.decode(errors="replace") if isinstance(reason, bytes) else str(reason)
