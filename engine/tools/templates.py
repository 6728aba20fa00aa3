"""Texts with places: `{{args.city}}` and `{{state.cart.items.0}}`. Nothing is evaluated.

A text that is one place alone becomes the value itself; elsewhere a value is written as text
(JSON, where it is no text). A place that leads nowhere is null, or nothing inside a text.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

_PLACE = re.compile(r"\{\{\s*([^{}]{1,400}?)\s*\}\}")
DEEPEST = 32


class TooLarge(Exception):
    """A filled template would be larger than its budget."""


class Filler:
    """Fills templates from `values`; `chars` bounds all that it writes."""

    def __init__(self, values: Mapping[str, Any], chars: int) -> None:
        self._values, self._left = values, chars

    def fill(self, template: Any, depth: int = 0) -> Any:
        """The template with its places filled, at every depth, keys too; TooLarge."""
        if depth > DEEPEST:
            raise TooLarge
        if isinstance(template, str):
            return self._text(template)
        if isinstance(template, dict):
            return {
                str(self._text(key)): self.fill(value, depth + 1) for key, value in template.items()
            }
        if isinstance(template, list | tuple):
            return [self.fill(item, depth + 1) for item in template]
        return template

    def _text(self, template: str) -> Any:
        alone = _PLACE.fullmatch(template)
        if alone:
            value = at_path(self._values, alone[1])
            self._pay(len(_written(value)))
            return value
        pieces, end = [], 0
        for place in _PLACE.finditer(template):
            value = at_path(self._values, place[1])
            pieces += [template[end : place.start()], "" if value is None else _written(value)]
            self._pay(len(pieces[-2]) + len(pieces[-1]))
            end = place.end()
        self._pay(len(template) - end)
        return "".join(pieces) + template[end:]

    def _pay(self, chars: int) -> None:
        self._left -= chars
        if self._left < 0:
            raise TooLarge


def at_path(data: Any, path: str) -> Any:
    """The value at a dotted path of keys and list positions, None where it leads nowhere. A
    key that holds dots itself is found too."""
    if isinstance(data, Mapping) and path in data:
        return data[path]
    head, _, rest = path.partition(".")
    if isinstance(data, Mapping) and head in data:
        found = data[head]
    elif isinstance(data, list | tuple) and head.isdecimal() and int(head) < len(data):
        found = data[int(head)]
    else:
        return None
    return at_path(found, rest) if rest else found


def _written(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
