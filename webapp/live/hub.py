"""Notices that the database changed and wakes the sockets that wait.

SQLite has no notification, but `PRAGMA data_version` costs microseconds and changes when
any other connection commits, in whichever process. One thread per web process looks at it,
on a connection of its own, and only while a page is open.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from typing import Any, NamedTuple

from peewee import DatabaseError

from webapp import db
from webapp.live.topics import Topic

log = logging.getLogger(__name__)
POLL_S = 0.05
RETRY_S = 1.0


class Shown(NamedTuple):
    """What a socket shows, and to whose session; sockets that show the same share it."""

    session_key: str
    topics: tuple[Topic, ...]


class Subscriber:
    """One waiting socket. `is_open` says whether the other side is still there; the hub
    asks, so that a closed socket gives its thread back at once."""

    def __init__(self, is_open: Callable[[], bool], shown: Shown) -> None:
        self.is_open = is_open
        self.shown = shown
        self.woken = threading.Event()

    def wait(self) -> None:
        """Until the database changed or the socket closed."""
        self.woken.wait()
        self.woken.clear()


class Hub:
    """The watcher of one process and what it has rendered since the last change."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._subscribers: set[Subscriber] = set()
        self._rendered: dict[Shown, _Rendering] = {}
        self._thread: threading.Thread | None = None
        self._version = 0

    def join(self, subscriber: Subscriber) -> None:
        """From now on `subscriber` is woken by every change."""
        with self._lock:
            self._subscribers.add(subscriber)
            self._rendered.setdefault(subscriber.shown, _Rendering())
            if self._thread is None:
                self._thread = threading.Thread(target=self._watch, name="live", daemon=True)
                self._thread.start()

    def leave(self, subscriber: Subscriber) -> None:
        """The thread ends when nobody is left."""
        with self._lock:
            self._subscribers.discard(subscriber)
            if all(other.shown != subscriber.shown for other in self._subscribers):
                self._rendered.pop(subscriber.shown, None)

    def sockets(self) -> int:
        """How many sockets are open in this process."""
        return len(self._subscribers)

    def render(self, subscriber: Subscriber, make: Callable[[], Any]) -> Any:
        """`make()`, once a change for all sockets that show the same."""
        return self._rendered[subscriber.shown].at(lambda: self._version, make)

    def _watch(self) -> None:
        while self._wake(changed=False):
            try:
                with db.connection():
                    self._follow()
            except DatabaseError:
                log.warning("live pages cannot read the database; trying again", exc_info=True)
                time.sleep(RETRY_S)

    def _follow(self) -> None:
        """Wake everybody on each change, and once at the start: what was committed before
        the first look would otherwise never be noticed."""
        seen: int | None = None
        while True:
            version = db.data_version()
            if not self._wake(changed=version != seen):
                return
            seen = version
            time.sleep(POLL_S)

    def _wake(self, changed: bool) -> bool:
        """Wake whom it concerns; False, and no thread any more, when nobody is left."""
        with self._lock:
            if not self._subscribers:
                self._thread = None
                return False
            if changed:
                self._version += 1
            for subscriber in self._subscribers:
                if changed or not subscriber.is_open():
                    subscriber.woken.set()
            return True


class _Rendering:
    """A value and the version it was made at; whoever comes while it is made waits."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._version = -1
        self._value: Any = None

    def at(self, version_of: Callable[[], int], make: Callable[[], Any]) -> Any:
        with self._lock:
            # Read before rendering: a change in between only means rendering once more.
            version = version_of()
            if version != self._version:
                self._value = make()
                self._version = version
            return self._value


hub = Hub()
