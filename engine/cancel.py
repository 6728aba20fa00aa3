"""One cooperative token for cancel and deadline, looked at between chunks."""

from __future__ import annotations

import threading
import time


class Cancelled(Exception):
    """Work stopped because its token said so; `reason` is "cancelled" or "deadline"."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class CancelToken:
    """Thread-safe; set by the job's heartbeat or a signal handler, read by the engine.

    `deadline_s` is a duration in seconds from now, on the monotonic clock; None is never.
    With a `parent` its reason counts too: a part of the work can be stopped alone.
    """

    def __init__(self, deadline_s: float | None = None, parent: CancelToken | None = None) -> None:
        self._event = threading.Event()
        self._parent = parent
        self._deadline = None if deadline_s is None else time.monotonic() + deadline_s

    def cancel(self) -> None:
        self._event.set()

    @property
    def reason(self) -> str | None:
        """None while work may go on, else "cancelled" or "deadline"."""
        if self._event.is_set():
            return "cancelled"
        if self._deadline is not None and time.monotonic() >= self._deadline:
            return "deadline"
        return self._parent.reason if self._parent else None

    def check(self) -> None:
        """Raise Cancelled when the work must stop."""
        if reason := self.reason:
            raise Cancelled(reason)
