"""The one place that imports LiteLLM, and the seam through which its HTTP is borrowed.

LiteLLM makes every HTTP client through two of its module attributes. For the length of one
call both lead to a transport of ours, which either records the request it is handed
(prepare) or answers with bytes that were captured before (replay). No byte reaches the
network, and nothing of LiteLLM is patched beyond those two attributes.
"""

from __future__ import annotations

import asyncio
import logging
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import httpx

# LiteLLM's attributes are process-wide, so one borrowed call runs at a time.
_lock = threading.Lock()

# Providers that look at the `client` argument only.
CLIENT_ARGUMENT = frozenset({"gemini", "vertex_ai"})


@cache
def load() -> Any:
    """Import LiteLLM (2 s, once a process) so that it asks nobody on the network, retries
    nothing by itself, and does not mistake a small model's repetition for an error."""
    os.environ.setdefault("LITELLM_LOCAL_MODEL_COST_MAP", "True")
    os.environ.setdefault("REPEATED_STREAMING_CHUNK_LIMIT", "1000000000")
    import litellm

    litellm.suppress_debug_info = True
    litellm.telemetry = False
    litellm.num_retries = 0
    logging.getLogger("LiteLLM").setLevel(logging.ERROR)
    return litellm


class _Clients:
    """Stands in for LiteLLM's client cache: every cached HTTP handler is ours."""

    def __init__(self, handler: Any) -> None:
        self._handler = handler

    def get_cache(self, key: str, *_: Any, **__: Any) -> Any:
        return self._handler if key.startswith("async_httpx_client") else None

    def set_cache(self, *_: Any, **__: Any) -> None:
        """Nothing made during a borrowed call is kept."""


@contextmanager
def borrowed(transport: httpx.AsyncBaseTransport) -> Iterator[Any]:
    """Lead LiteLLM's HTTP through `transport`; gives the handler for `client=`."""
    import httpx

    litellm = load()
    from litellm.llms.custom_httpx.http_handler import AsyncHTTPHandler

    client = httpx.AsyncClient(transport=transport, trust_env=False)
    handler = AsyncHTTPHandler.__new__(AsyncHTTPHandler)
    handler.timeout = None
    handler.event_hooks = None
    handler.client = client
    with _lock:
        kept = litellm.in_memory_llm_clients_cache, litellm.aclient_session
        litellm.in_memory_llm_clients_cache = _Clients(handler)
        litellm.aclient_session = client
        try:
            yield handler
        finally:
            litellm.in_memory_llm_clients_cache, litellm.aclient_session = kept


def run_async(coroutine: Any) -> Any:
    """Run a coroutine to its end on a loop of its own, in this thread."""
    return asyncio.run(coroutine)
