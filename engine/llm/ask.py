"""One request from prepared bytes to a decoded answer, with retries on rate limits."""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass, field
from datetime import timedelta

from engine.cancel import CancelToken
from engine.llm.answer import Decoded
from engine.llm.decode import decode
from engine.llm.errors import ProviderError
from engine.llm.exchange import Capture
from engine.llm.prepare import prepare
from engine.llm.request import ChatRequest, PreparedRequest
from engine.llm.wire import Connection
from engine.quiet import quiet
from engine.samples import Try
from engine.targets import Target

log = logging.getLogger(__name__)

# Waits when a rate limit names none, in seconds, doubled for each further try.
FIRST_WAIT_S = 1.0
LONGEST_WAIT_S = 60.0
_MOST_SAID_S = 3.2e7  # a year
_CANCEL_POLL_S = 0.1


@dataclass(slots=True)
class Asked:
    """What came of a request: the capture and its decoding, or the error. `capture` is
    None when nothing was sent. `tries` are the attempts before the last one."""

    capture: Capture | None = None
    decoded: Decoded | None = None
    error: ProviderError | None = None
    cancelled: bool = False
    tries: tuple[Try, ...] = ()


@dataclass(slots=True)
class Asker:
    """Asks one endpoint, one request at a time, over a kept connection.

    `cpu` runs what is not timed (LiteLLM, decoding), so that the loop that reads the
    socket is free. Use it inside one running event loop; close it at the end.
    """

    target: Target
    cpu: Executor
    cancel: CancelToken
    timeout_s: float
    retries: int
    jitter: random.Random = field(default_factory=random.Random)
    _connection: Connection | None = None

    async def ask(self, request: ChatRequest, on_send: Callable[[], None] | None = None) -> Asked:
        """Send one request and read its answer; never raises for what a provider does.

        A rate limit is waited out (Retry-After, else doubling waits with jitter) and asked
        again up to `retries` times; the clock of a repeated request starts anew. A provider
        that wants to be left alone for longer than `LONGEST_WAIT_S` is.
        """
        loop = asyncio.get_running_loop()
        tries: list[Try] = []
        try:
            prepared = await loop.run_in_executor(self.cpu, prepare, self.target, request)
        except ProviderError as error:
            return Asked(error=error)
        log.info(
            "%s: %s %s, %d bytes",
            self.target.ref,
            prepared.method,
            prepared.url,
            len(prepared.body),
        )
        while True:
            asked = await self._attempt(prepared, on_send)
            asked.tries = tuple(tries)
            log.info("%s: %s", self.target.ref, _said(asked))
            limit = asked.error
            if limit is None or limit.kind != "rate_limited" or len(tries) >= self.retries:
                return asked
            if (limit.retry_after_s or 0.0) > LONGEST_WAIT_S:
                limit.message = _too_long(limit)
                return asked
            wait_s = self._wait_s(limit, len(tries))
            tries.append(Try(limit.kind, limit.message, wait_s))
            if not await self._pause(wait_s):
                asked.cancelled = True
                return asked

    async def _attempt(
        self, prepared: PreparedRequest, on_send: Callable[[], None] | None
    ) -> Asked:
        if self.cancel.reason:
            return Asked(cancelled=True)
        try:
            connection = await self._connected(prepared)
        except ProviderError as error:
            return Asked(error=error)
        if on_send:
            on_send()
        capture = await self._exchange(connection, prepared)
        if capture.stale:
            try:
                connection = await self._connected(prepared)
            except ProviderError as error:
                return Asked(error=error)
            capture = await self._exchange(connection, prepared)
        asked = Asked(capture=capture, cancelled=capture.ended == "cancelled")
        loop = asyncio.get_running_loop()
        try:
            asked.decoded = await loop.run_in_executor(
                self.cpu, decode, capture, prepared.model, (self.target.api_key,)
            )
            asked.error = asked.decoded.error
        except ProviderError as error:
            asked.error = error
        return asked

    async def _connected(self, prepared: PreparedRequest) -> Connection:
        """An open connection: the kept one if its peer still holds it, else a new one."""
        if self._connection is not None and self._connection.alive:
            return self._connection
        self.close()
        self._connection = await Connection.open(prepared.endpoint, self.target.allow_private)
        return self._connection

    async def _exchange(self, connection: Connection, prepared: PreparedRequest) -> Capture:
        watcher = asyncio.create_task(self._abort_when_cancelled(connection))
        payload = prepared.wire_bytes()
        try:
            with quiet():
                return await connection.exchange(payload, self.timeout_s)
        finally:
            watcher.cancel()

    async def _abort_when_cancelled(self, connection: Connection) -> None:
        # The token is set from other threads and by a deadline, so it is looked at, not awaited.
        while not self.cancel.reason:  # noqa: ASYNC110
            await asyncio.sleep(_CANCEL_POLL_S)
        connection.abort()

    async def _pause(self, wait_s: float) -> bool:
        """Wait; False when the work was cancelled meanwhile."""
        loop = asyncio.get_running_loop()
        end = loop.time() + wait_s
        while (left := end - loop.time()) > 0:
            if self.cancel.reason:
                return False
            await asyncio.sleep(min(left, _CANCEL_POLL_S))
        return True

    def _wait_s(self, error: ProviderError, earlier: int) -> float:
        wished = error.retry_after_s
        base = FIRST_WAIT_S * 2**earlier if wished is None else wished
        return min(LONGEST_WAIT_S, base * (1 + 0.1 * self.jitter.random()))

    def close(self) -> None:
        """Close the kept connection."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def _too_long(limit: ProviderError) -> str:
    """Asking earlier than the provider wishes would only be refused again."""
    after = timedelta(seconds=round(min(limit.retry_after_s or 0.0, _MOST_SAID_S)))
    wish = f"It wants no further request for {after} (h:mm:ss), so it was not asked again."
    return f"{limit.message.rstrip('.')}. {wish}"


def _said(asked: Asked) -> str:
    """How a request ended, for the log: never the content of question or answer."""
    if asked.error is not None:
        return f"{asked.error.kind}: {asked.error.message}"
    if asked.capture is None:
        return "cancelled before it was sent"
    milliseconds = (asked.capture.ended_ns - asked.capture.sent_ns) / 1e6
    return f"{asked.capture.ended} after {milliseconds:,.0f} ms"
