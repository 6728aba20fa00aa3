"""The one place that imports LiteLLM, and the seam through which its HTTP is borrowed.

LiteLLM takes its HTTP clients from three of its module attributes. For the length of one
call all three lead to a transport of ours, which either records the request it is handed
(prepare) or answers with bytes that were captured before (replay). Nothing of LiteLLM is
patched beyond those attributes. Where it has other ways to the network, which would lead past
the outbound guard with a user's key, they end in `ReachedOut`.

Meanwhile the environment shows LiteLLM no key, address or account: it would send a user's key
to an address that the operator set for something else, or name the operator's organization.
"""

from __future__ import annotations

import asyncio
import logging
import os
import re
import socket
import threading
import warnings
from collections.abc import Callable, Iterator, MutableMapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import httpx

# All that LiteLLM may see of the environment during a borrowed call.
_SHOWN = re.compile(
    r"HOME|PATH|LANG|LC_.*|TZ|TMPDIR|TIKTOKEN_CACHE_DIR|SSL_CERT_(FILE|DIR)|REQUESTS_CA_BUNDLE"
    r"|LITELLM_LOCAL_MODEL_COST_MAP|REPEATED_STREAMING_CHUNK_LIMIT"
)

_borrowing: ContextVar[Borrowed | None] = ContextVar("borrowing", default=None)

# LiteLLM's attributes are process-wide, so one borrowed call runs at a time.
_lock = threading.Lock()


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


class ReachedOut(ConnectionError):
    """LiteLLM was about to connect by itself. Where that was for something aside (what a local
    model can do, say) it goes on without."""


@dataclass(slots=True)
class Borrowed:
    """A borrowed call; `reached_out` says that it tried to connect by itself."""

    reached_out: bool = False


class _Curtain(MutableMapping[str, str]):
    """The environment, of which a borrowed call (and the threads it has) sees little and
    everybody else everything."""

    def __init__(self, real: MutableMapping[str, str]) -> None:
        self._real = real

    def __getitem__(self, name: str) -> str:
        if not _visible(name):
            raise KeyError(name)
        return self._real[name]

    def __setitem__(self, name: str, value: str) -> None:
        self._real[name] = value

    def __delitem__(self, name: str) -> None:
        del self._real[name]

    def __iter__(self) -> Iterator[str]:
        return iter([name for name in self._real if _visible(name)])

    def __len__(self) -> int:
        return len(list(iter(self)))

    def copy(self) -> dict[str, str]:
        return dict(self)


@contextmanager
def _cut_off() -> Iterator[None]:
    """Let the borrowed call neither resolve a name nor connect; other threads do as ever."""
    ways = [(socket.socket, "connect"), (socket.socket, "connect_ex"), (socket, "getaddrinfo")]
    kept = [(where, name, getattr(where, name)) for where, name in ways]
    for where, name, real in kept:
        setattr(where, name, _guarded(real))
    try:
        yield
    finally:
        for where, name, real in kept:
            setattr(where, name, real)


def _guarded(real: Callable[..., Any]) -> Callable[..., Any]:
    def way(*args: Any, **kwargs: Any) -> Any:
        if (call := _borrowing.get()) is not None:
            call.reached_out = True
            raise ReachedOut("LiteLLM has no network here")
        return real(*args, **kwargs)

    return way


def _visible(name: str) -> bool:
    return _borrowing.get() is None or _SHOWN.fullmatch(name) is not None


class _Clients:
    """Stands in for LiteLLM's client cache: every cached HTTP handler is ours."""

    def __init__(self, handler: Any) -> None:
        self._handler = handler

    def get_cache(self, key: str, *_: Any, **__: Any) -> Any:
        return self._handler if key.startswith("async_httpx_client") else None

    def set_cache(self, *_: Any, **__: Any) -> None:
        """Nothing made during a borrowed call is kept."""


@contextmanager
def borrowed(transport: httpx.AsyncBaseTransport) -> Iterator[Borrowed]:
    """Lead LiteLLM's HTTP through `transport` while the block runs."""
    litellm = load()
    from litellm.llms.custom_httpx.http_handler import AsyncHTTPHandler

    handler = AsyncHTTPHandler(transport=transport)
    ours = {
        "in_memory_llm_clients_cache": _Clients(handler),
        "aclient_session": handler.client,
        "module_level_aclient": handler,
    }
    with _lock, warnings.catch_warnings():
        # LiteLLM's own models warn about themselves; nobody here can act on it.
        warnings.simplefilter("ignore")
        # Some of them come into being at their first use; those must be gone again after it.
        kept = {name: vars(litellm)[name] for name in ours if name in vars(litellm)}
        vars(litellm).update(ours)
        environ, vars(os)["environ"] = os.environ, _Curtain(os.environ)
        call = Borrowed()
        borrowing = _borrowing.set(call)
        try:
            with _cut_off():
                yield call
        finally:
            _borrowing.reset(borrowing)
            vars(os)["environ"] = environ
            for name in ours.keys() - kept.keys():
                del vars(litellm)[name]
            vars(litellm).update(kept)


def run_async(coroutine: Any) -> Any:
    """Run a coroutine to its end on a loop of its own, in this thread."""
    return asyncio.run(coroutine)
