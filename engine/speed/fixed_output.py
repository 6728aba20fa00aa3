"""Answers of one length, where an endpoint can be told to go on."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from engine.targets import Target

# Servers of open models take these; the public providers refuse fields they do not know.
_SERVERS = frozenset({"hosted_vllm", "vllm"})


def can_fix_output(target: Target) -> bool:
    """Whether the endpoint may be sent `ignore_eos` and `min_tokens`: vLLM, and whatever else
    speaks OpenAI's format at an address of its own."""
    prefix = target.litellm_model.partition("/")[0]
    if prefix in _SERVERS or target.simulated:
        return True
    address = urlsplit(target.api_base or "").hostname
    return prefix == "openai" and address not in (None, "api.openai.com")


def fixed_output(target: Target, tokens: int) -> dict[str, Any]:
    """Further arguments that make an answer `tokens` long; none where it cannot be told."""
    if not can_fix_output(target):
        return {}
    return {"extra_body": {"ignore_eos": True, "min_tokens": tokens}}
