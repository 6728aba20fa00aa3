"""Writing results while the engine goes on: whatever has arrived is one short transaction."""

from __future__ import annotations

import logging
from abc import ABC, abstractmethod
from collections.abc import Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from queue import Empty, SimpleQueue
from threading import Event
from types import TracebackType
from typing import Generic, Self, TypeVar

from peewee import OperationalError

from jobs import states
from jobs.progress import Progress
from webapp import db

log = logging.getLogger(__name__)

T = TypeVar("T")

# A write waits 10 s for the lock by itself; the results must not be given up before this.
WRITE_TRIES = 6


class BatchWriter(ABC, Generic[T]):
    """Stores results of one kind with their job's counts.

    `put` returns at once. One thread writes what has arrived meanwhile as one transaction,
    so results that land together share a commit and a single one is stored within
    milliseconds. Leaving the context waits until all are stored. Raises `states.LostJob`
    (from `put` or on leaving) when the lease no longer holds. `what` names the results in
    the log; `done` and `failed` count what is stored already.
    """

    def __init__(self, progress: Progress, what: str, *, done: int, failed: int) -> None:
        self._progress, self._what = progress, what
        self._incoming: SimpleQueue[T | Event | None] = SimpleQueue()
        self._pool = ThreadPoolExecutor(1, "writer")
        self.done, self.failed = done, failed

    @abstractmethod
    def save(self, batch: list[T]) -> None:
        """Store a batch, inside a write transaction."""

    @abstractmethod
    def counts(self, item: T) -> tuple[bool, bool]:
        """Whether a result counts as done, and whether as failed."""

    def __enter__(self) -> Self:
        self._work: Future[None] = self._pool.submit(self._drain)
        return self

    def put(self, item: T) -> None:
        """Store `item` soon."""
        if self._work.done():
            self._work.result()
        self._incoming.put(item)

    def settle(self) -> None:
        """Wait until everything that was put so far is stored."""
        stored = Event()
        self._incoming.put(stored)
        while not stored.wait(0.1):
            if self._work.done():
                self._work.result()
                return

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> None:
        self._incoming.put(None)
        self._pool.shutdown()
        trouble = self._work.exception()
        if trouble is not None and kind is None:
            raise trouble
        if trouble is not None:
            log.warning("%s were not stored: %s", self._what, trouble)

    def _drain(self) -> None:
        with db.connection():
            more = True
            while more:
                batch = [self._incoming.get(), *self._landed()]
                more = None not in batch
                self._store([item for item in batch if not isinstance(item, Event | None)])
                for item in batch:
                    if isinstance(item, Event):
                        item.set()

    def _landed(self) -> Iterable[T | Event | None]:
        try:
            while True:
                yield self._incoming.get_nowait()
        except Empty:
            return

    def _store(self, batch: list[T]) -> None:
        for item in batch:
            done, failed = self.counts(item)
            self.done += done
            self.failed += failed
        self._progress.note(done=self.done, failed=self.failed)
        for _ in range(WRITE_TRIES - 1):
            try:
                return self._write(batch)
            except OperationalError as error:
                log.warning("%s wait to be stored: %s", self._what, error)
        return self._write(batch)

    def _write(self, batch: list[T]) -> None:
        with self._progress.taken() as changes, db.write():
            states.renew(self._progress.lease, **changes)
            self.save(batch)
