"""Does a key work? Asked with one tiny real request."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from engine.cancel import CancelToken
from engine.llm.ask import Asked, Asker
from engine.llm.discover import ask as ask_for_models
from engine.llm.discover import checks_key
from engine.llm.errors import ProviderError
from engine.llm.fetch import TIMEOUT_S
from engine.llm.request import ChatRequest
from engine.targets import ProviderAccess, Target

# Enough for a reasoning model to begin, and for endpoints that refuse less.
MAX_TOKENS = 16
# The key was accepted, whatever became of the answer.
_ACCEPTED = frozenset({"empty_output", "content_filter"})


@dataclass(frozen=True, slots=True)
class KeyCheck:
    """What a test found. `latency_ms` is the whole request, connecting included; None when
    it failed. `text` is one sentence for the key's owner."""

    ok: bool
    text: str
    latency_ms: float | None = None


def check_key(
    access: ProviderAccess,
    target: Target | None,
    cancel: CancelToken,
    timeout_s: float = TIMEOUT_S,
) -> KeyCheck:
    """Test the key of `access`; never raises for what a provider does.

    A provider that gives its model list to valid keys only is asked for that list, which
    costs nothing. Any other is asked `target` for a few tokens; without a model to ask, its
    list shows at least that the address answers.
    """
    if access.problem:
        return KeyCheck(False, access.problem)
    try:
        if checks_key(access) or target is None:
            return _by_list(access, timeout_s)
        return _by_answer(access, target, cancel, timeout_s)
    except ProviderError as error:
        return KeyCheck(False, error.message)


def _by_list(access: ProviderAccess, timeout_s: float) -> KeyCheck:
    found = ask_for_models(access, timeout_s, pages=1)
    listed = f"{len(found.models)} model{'' if len(found.models) == 1 else 's'}"
    if checks_key(access):
        text = f"{access.label} accepted the key and lists {listed}."
    else:
        text = f"{access.label} answers and lists {listed}. Add one to test the key itself."
    return KeyCheck(True, text, found.latency_ms)


def _by_answer(
    access: ProviderAccess, target: Target, cancel: CancelToken, timeout_s: float
) -> KeyCheck:
    if target.problem:
        return KeyCheck(False, target.problem)
    asked = asyncio.run(_ask(target, cancel, timeout_s))
    if asked.cancelled:
        cancel.check()
    error = asked.error
    if error is not None and error.kind not in _ACCEPTED:
        return KeyCheck(False, f"{access.label}, asked for {target.model}: {error.message}")
    return KeyCheck(True, f"{access.label} answered with {target.model}.", _latency_ms(asked))


async def _ask(target: Target, cancel: CancelToken, timeout_s: float) -> Asked:
    request = ChatRequest(
        messages=({"role": "user", "content": "Answer with the word: ready"},),
        max_tokens=MAX_TOKENS,
    )
    with ThreadPoolExecutor(1) as cpu:
        asker = Asker(target, cpu, cancel, timeout_s=timeout_s, retries=0)
        try:
            return await asker.ask(request)
        finally:
            asker.close()


def _latency_ms(asked: Asked) -> float | None:
    capture = asked.capture
    if capture is None:
        return None
    opening = (capture.connect_ms or 0.0) + (capture.tls_ms or 0.0)
    return opening + (capture.ended_ns - capture.sent_ns) / 1e6
