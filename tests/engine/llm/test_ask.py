"""Asking: a kept connection that its server closed costs nobody an answer."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

import pytest

from engine.cancel import CancelToken
from engine.llm.ask import Asked, Asker
from engine.llm.request import ChatRequest
from engine.targets import Target
from tests.engine.llm.scripted_server import ScriptedServer, Step
from tests.engine.llm.streams import ANSWER, chunked, head, sse

Scripted = Callable[..., ScriptedServer]
GOOD: Sequence[Step] = (head() + chunked(sse(*ANSWER)),)


def ask(server: ScriptedServer, times: int, retries: int = 0) -> list[Asked]:
    target = Target("p", "m", "openai/m", server.base_url, "sk-key", allow_private=True)
    request = ChatRequest(({"role": "user", "content": "Hello"},), 16)

    async def work(cpu: ThreadPoolExecutor) -> list[Asked]:
        asker = Asker(target, cpu, CancelToken(), timeout_s=10, retries=retries)
        try:
            return [await asker.ask(request) for _ in range(times)]
        finally:
            asker.close()

    with ThreadPoolExecutor(1) as cpu:
        return asyncio.run(work(cpu))


@pytest.mark.parametrize("end", ["close", "reset"])
def test_a_request_that_met_a_closing_connection_goes_out_again_on_a_new_one(
    scripted: Scripted, end: str
) -> None:
    server = scripted(GOOD, [end], GOOD)
    first, second = ask(server, 2)
    assert first.error is second.error is None
    assert second.decoded is not None
    assert second.decoded.text == "Grüße, Welt 🌍"
    assert second.capture is not None
    assert second.capture.connect_ms is not None
    assert second.tries == ()
    assert len(server.requests) == 3


def test_a_server_that_closes_a_new_connection_is_asked_once(scripted: Scripted) -> None:
    server = scripted(["close"])
    [asked] = ask(server, 1)
    assert asked.error is not None
    assert (asked.error.kind, len(server.requests)) == ("connect", 1)


def test_an_answer_that_has_begun_is_never_asked_for_again(scripted: Scripted) -> None:
    server = scripted(GOOD, [head(), "close"])
    _, cut = ask(server, 2)
    assert cut.decoded is not None
    assert not cut.decoded.finished
    assert len(server.requests) == 2


def test_a_provider_that_wants_to_be_left_alone_for_a_day_is(scripted: Scripted) -> None:
    body = b'{"error": {"message": "The quota is used up."}}'
    lines = ("retry-after: 86400", f"content-length: {len(body)}")
    server = scripted([head(*lines, status="429 Too Many Requests", chunked=False) + body])
    [asked] = ask(server, 1, retries=2)
    assert asked.error is not None
    assert asked.error.kind == "rate_limited"
    assert "no further request for 1 day, 0:00:00" in asked.error.message
    assert (len(server.requests), asked.tries) == (1, ())
