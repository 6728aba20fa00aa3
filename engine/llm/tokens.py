"""Counting tokens where the provider did not: by tiktoken's tables, without the network."""

from __future__ import annotations

import re
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal

# The encodings that LiteLLM ships are read from its folder, never downloaded.
Encoding = Literal["cl100k_base", "o200k_base"]
ESTIMATE: Encoding = "cl100k_base"

# OpenAI's models by the table they use; the newest names are not in tiktoken's own list.
_O200K = re.compile(r"(?:ft:)?(gpt-4o|gpt-4\.[15]|gpt-[5-9]|gpt-oss|chatgpt-4o|o[1-9])(?![0-9a-z])")
_CL100K = re.compile(r"(?:ft:)?gpt-(4|3\.5)(?![0-9a-z.])")
_OPENAI_PREFIXES = frozenset({"openai", "azure"})


def encoding_of(litellm_model: str) -> Encoding:
    """The encoding that an OpenAI model reads; for any other model the one of the estimate."""
    return tokenizer_of(litellm_model) or ESTIMATE


def tokenizer_of(litellm_model: str) -> Encoding | None:
    """The encoding of an OpenAI model; None for a model whose tokenizer is not at hand."""
    prefix, _, name = litellm_model.rpartition("/")
    if prefix and prefix.partition("/")[0] not in _OPENAI_PREFIXES:
        return None
    if _O200K.match(name):
        return "o200k_base"
    return "cl100k_base" if _CL100K.match(name) else None


@cache
def _encoding(name: Encoding) -> Any:
    import os

    spec = find_spec("litellm")
    if spec is not None and spec.origin:
        folder = Path(spec.origin).parent / "litellm_core_utils" / "tokenizers"
        os.environ.setdefault("TIKTOKEN_CACHE_DIR", str(folder))
    import tiktoken

    return tiktoken.get_encoding(name)


def count_tokens(text: str, encoding: Encoding = ESTIMATE) -> int:
    """Tokens of `text`: exact for the OpenAI models that use the encoding, an estimate
    (usually within 15 %) for others."""
    return len(_encoding(encoding).encode_ordinary(text))


def cut_to_tokens(text: str, tokens: int, encoding: Encoding = ESTIMATE) -> str:
    """The longest prefix of `text` of at most `tokens` tokens."""
    table = _encoding(encoding)
    return str(table.decode(table.encode_ordinary(text)[:tokens], errors="ignore"))
