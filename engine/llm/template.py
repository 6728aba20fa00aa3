"""The short way through a stream in OpenAI's format whose chunks differ only in their text.

Nearly every chunk of nearly every stream is a copy of the one before with another text in
the same place. Once that place is known, the text of a further chunk is what stands there:
what is around it has to be the same byte for byte, and the text itself must hold nothing
that JSON would write otherwise, so the parser could not have found anything else.
"""

from __future__ import annotations

import re
from typing import Any

from pydantic_core import from_json

_ESCAPED = re.compile(rb'["\\\x00-\x1f]')
_PROBE = "a text no model wrote 5f1d"
# A stream whose chunks bring something new each time (a time, padding) is not worth more.
_MOST_LESSONS = 8


class Template:
    """Learns where the text stands; knows nothing at first."""

    def __init__(self) -> None:
        self._before = self._after = b""
        self._around = 0
        self._lessons = 0

    def text_in(self, data: bytes) -> str | None:
        """The text of a chunk that differs from the learnt one in nothing else, else None."""
        if not self._around or not data.startswith(self._before) or not data.endswith(self._after):
            return None
        text = data[len(self._before) : -len(self._after)]
        # The two parts may overlap in a chunk that is too short to hold both.
        if len(data) <= self._around or _ESCAPED.search(text):
            return None
        try:
            return text.decode()
        except UnicodeDecodeError:
            return None

    def learn(self, data: bytes, chunk: Any) -> None:
        """Learn from a chunk, and the bytes it was, if it carried nothing but a text."""
        delta = _lone_text(chunk) if self._lessons < _MOST_LESSONS else None
        if delta is None:
            return
        self._lessons += 1
        text = delta["content"]
        before, found, after = data.partition(b'"%s"' % text.encode())
        if not found:
            return
        try:
            probed = from_json(b'%s"%s"%s' % (before, _PROBE.encode(), after))
        except ValueError:
            return
        delta["content"] = _PROBE
        if probed == chunk:
            self._before, self._after = before + b'"', b'"' + after
            self._around = len(self._before) + len(self._after)
        delta["content"] = text


def _lone_text(chunk: Any) -> dict[str, Any] | None:
    """The delta of a chunk that says nothing but `delta["content"]`."""
    if not isinstance(chunk, dict) or chunk.get("usage") or chunk.get("x_groq"):
        return None
    choices = chunk.get("choices")
    choice = choices[0] if isinstance(choices, list) and len(choices) == 1 else None
    if not isinstance(choice, dict) or choice.get("index") or choice.get("finish_reason"):
        return None
    delta = choice.get("delta")
    if not isinstance(delta, dict) or "usage" in choice:
        return None
    if any(delta.get(name) for name in ("reasoning_content", "reasoning", "tool_calls")):
        return None
    return delta if type(delta.get("content")) is str and delta["content"] else None
