"""An event loop in a thread of its own, followed by who reads its events."""

from __future__ import annotations

import asyncio
import queue
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import Executor, ThreadPoolExecutor

from engine.cancel import CancelToken
from engine.events import Event
from engine.quiet import short_slices

Emit = Callable[[Event], None]


def events_of(
    work: Callable[[Executor, Emit], Coroutine[None, None, None]], cancel: CancelToken
) -> Iterator[Event]:
    """What `work` emits, as it happens, until it is done; raises what it raises.

    `work` reads its sockets in the loop and leaves preparing and decoding to the executor,
    which has two threads. Closing the iterator cancels.
    """
    events: queue.SimpleQueue[Event | None] = queue.SimpleQueue()

    def run() -> None:
        with short_slices(), ThreadPoolExecutor(2, thread_name_prefix="decode") as cpu:
            asyncio.run(work(cpu, events.put))

    with ThreadPoolExecutor(1, thread_name_prefix="engine") as engine:
        working = engine.submit(run)
        working.add_done_callback(lambda _: events.put(None))
        try:
            while (event := events.get()) is not None:
                yield event
        finally:
            if not working.done():
                cancel.cancel()
        working.result()
