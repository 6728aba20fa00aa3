"""Counting tokens where the provider did not: by tiktoken's tables, without the network."""

from __future__ import annotations

from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

# The encodings that LiteLLM ships; both are read from its folder, never downloaded.
_ENCODING = "cl100k_base"


@cache
def _encoding() -> Any:
    import os

    spec = find_spec("litellm")
    if spec is not None and spec.origin:
        folder = Path(spec.origin).parent / "litellm_core_utils" / "tokenizers"
        os.environ.setdefault("TIKTOKEN_CACHE_DIR", str(folder))
    import tiktoken

    return tiktoken.get_encoding(_ENCODING)


def count_tokens(text: str) -> int:
    """Tokens of `text` in cl100k_base: exact for the OpenAI models that use it, an estimate
    (usually within 15 %) for others."""
    return len(_encoding().encode_ordinary(text))


def cut_to_tokens(text: str, tokens: int) -> str:
    """The longest prefix of `text` of at most `tokens` tokens."""
    encoding = _encoding()
    return str(encoding.decode(encoding.encode_ordinary(text)[:tokens], errors="ignore"))
