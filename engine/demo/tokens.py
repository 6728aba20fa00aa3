"""The demo tokenizer. Its counts are exact by this definition, for input and output alike.

A token is one of: up to nine letters with at most one space or underscore before them, up
to three digits likewise, a run of white space, up to three other characters with at most
one space before them. English prose, code and JSON come out within about 15 % of what
common tokenizers count. Cutting a text between two tokens never changes the tokens before
the cut, so an answer that was cut short still counts as the number of tokens sent.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any

_TOKEN = re.compile(r"[ _]?[^\W\d_]{1,9}|[ _]?\d{1,3}|\s+| ?[^\w\s]{1,3}|_")


def split(text: str) -> list[str]:
    """The tokens of `text`; joined they are `text` again."""
    return _TOKEN.findall(text)


def count(text: str) -> int:
    """The number of tokens in `text`."""
    return len(_TOKEN.findall(text))


def compact(value: Any) -> str:
    """JSON without spaces: the form in which tools and calls are counted and sent."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def input_tokens(
    messages: Iterable[tuple[str, str]], tools: Iterable[Mapping[str, Any]] = ()
) -> list[str]:
    """A request's input as tokens, from (role, text) messages and tool definitions.

    It is each tool's compact JSON, then each message's text with four marks around it (one
    names the role), then three marks before the answer.
    """
    tokens = [token for tool in tools for token in split(compact(tool))]
    for role, text in messages:
        tokens += ("<|", role, "|>", *_TOKEN.findall(text), "<|end|>")
    return [*tokens, "<|", "assistant", "|>"]
