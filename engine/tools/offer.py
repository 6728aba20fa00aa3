"""Tools as they are offered to a provider: definitions, and names it can take.

Most providers take letters, digits, `_` and `-` only. A name with anything else (BFCL has
`math.hypot`) is sent with underscores, and what the model calls is mapped back, so that
expectations, mocks and pages know one name.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from engine.tools.suites import Tool

_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_-]{0,63}")
_DOTTED = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]{0,63}")
# LiteLLM prefixes whose providers take dots as well.
_TAKES = {"gemini": _DOTTED, "vertex_ai": _DOTTED}
_LONGEST = 64
_OTHER = re.compile(r"[^A-Za-z0-9_-]")


@dataclass(frozen=True, slots=True)
class Offer:
    """`definitions` are what is sent, `text` the same as JSON. `renamed` is sent name →
    suite's name, for the tools that had to be renamed only."""

    definitions: tuple[dict[str, Any], ...]
    text: str
    renamed: Mapping[str, str]
    _sent: Mapping[str, str]

    def sent(self, name: str) -> str:
        """The name of a tool at the provider, one that was not offered included."""
        if name in self._sent:
            return self._sent[name]
        # A model's invention goes back to it as part of the conversation.
        return _OTHER.sub("_", name)[:_LONGEST] or "unnamed"

    def named(self, sent: str) -> str:
        """The suite's name of what the model called; a name nobody offered stays as it is."""
        return self.renamed.get(sent, sent)

    @property
    def names(self) -> frozenset[str]:
        """Every name under which an offered tool can be meant, the suite's and the sent."""
        return frozenset(self._sent) | frozenset(self._sent.values())


def make_offer(tools: Sequence[Tool], prefix: str) -> Offer:
    """The offer of `tools` to a provider of LiteLLM's `prefix`."""
    takes = _TAKES.get(prefix, _PLAIN)
    sent = {tool.name: tool.name for tool in tools if takes.fullmatch(tool.name)}
    for tool in tools:
        if tool.name not in sent:
            sent[tool.name] = _spare(tool.name, set(sent.values()))
    definitions = []
    for tool in tools:
        definition = tool.as_openai()
        definition["function"]["name"] = sent[tool.name]
        definitions.append(definition)
    renamed = {new: old for old, new in sent.items() if new != old}
    text = json.dumps(definitions, ensure_ascii=False) if definitions else ""
    return Offer(tuple(definitions), text, renamed, sent)


def _spare(name: str, taken: set[str]) -> str:
    """The name with underscores, numbered when another tool has that one."""
    plain = _OTHER.sub("_", name)
    plain = plain if plain[:1].isalpha() or plain[:1] == "_" else f"_{plain}"
    wanted, number = plain[:_LONGEST], 1
    while wanted in taken:
        number += 1
        tail = f"_{number}"
        wanted = plain[: _LONGEST - len(tail)] + tail
    return wanted
