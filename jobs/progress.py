"""What a handler is given, and the thread that keeps its job alive while it works."""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

from peewee import OperationalError

from engine.cancel import CancelToken
from jobs import states
from jobs.states import Lease, LostJob
from jobs.timing import HEARTBEAT_S, POLL_S
from webapp import db
from webapp.models import Job
from webapp.settings import Settings

log = logging.getLogger(__name__)


class JobFailed(Exception):
    """The job cannot be done; its text is a sentence for the user."""


class Progress:
    """Counts and message of a running job, gathered here and written in short batches by
    whoever writes next: the heartbeat, a batch of samples, or the end of the job."""

    def __init__(self, lease: Lease) -> None:
        self.lease = lease
        self._lock = threading.Lock()
        self._changes: dict[str, Any] = {}

    def note(self, **changes: Any) -> None:
        """Remember new values of the job's columns; None changes nothing."""
        with self._lock:
            self._changes.update({k: v for k, v in changes.items() if v is not None})

    @contextmanager
    def taken(self) -> Iterator[dict[str, Any]]:
        """What waits to be written; it waits again when writing it fails."""
        with self._lock:
            changes, self._changes = self._changes, {}
        try:
            yield changes
        except OperationalError:
            with self._lock:
                self._changes = changes | self._changes
            raise


@dataclass(frozen=True, slots=True)
class Context:
    """What a handler works with. It returns the job's result (a JSON object), raises
    `engine.cancel.Cancelled` when it stopped early, and JobFailed with a sentence for the
    user when it cannot go on. `spec` is a plain dict for kinds without a Spec class."""

    job: Job
    spec: Any
    cancel: CancelToken
    settings: Settings
    report: Progress

    def progress(
        self,
        *,
        done: int | None = None,
        failed: int | None = None,
        total: int | None = None,
        message: str | None = None,
    ) -> None:
        """Show how far the job is; cheap to call often, on screen within half a second."""
        self.report.note(done=done, failed=failed, total=total, message=message)


class Heartbeat:
    """While entered, a thread renews the lease, writes waiting progress, and sets `token`
    when the user cancels, the worker is told to stop, or the lease is lost.

    `shut_down` says that the worker, not the user, ended the work: it was told to stop, or
    the consumer that started it is gone.
    """

    def __init__(self, report: Progress, token: CancelToken, stopping: Callable[[], bool]) -> None:
        self._lease, self._report, self._token = report.lease, report, token
        self._stopping = stopping
        self._parent = os.getppid()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._work, name="heartbeat")
        self._thread.daemon = True
        self._renewed_at = time.monotonic()
        self.shut_down = False

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> None:
        self._ended.set()
        self._thread.join()

    def _work(self) -> None:
        with db.connection():
            while not self._ended.wait(POLL_S):
                try:
                    self._beat()
                except LostJob as error:
                    log.warning("%s is no longer ours", error)
                    self._token.cancel()
                    return
                except OperationalError as error:
                    log.warning("no heartbeat for job %s: %s", self._lease.job_id, error)

    def _beat(self) -> None:
        if states.cancel_wanted(self._lease):
            self._token.cancel()
        elif self._stopping() or os.getppid() != self._parent:
            self.shut_down = True
            self._token.cancel()
        with self._report.taken() as changes:
            if changes or time.monotonic() - self._renewed_at >= HEARTBEAT_S:
                states.renew(self._lease, **changes)
                self._renewed_at = time.monotonic()
