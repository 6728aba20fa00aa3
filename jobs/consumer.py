"""Huey's consumer with three habits added: its idle scheduler process sweeps and gives a
sign of life, and worker processes end when their consumer is gone."""

from __future__ import annotations

import logging
import os
import time
from typing import Any

from huey.consumer import Consumer, Scheduler, Worker

from jobs import queue, watchdog
from jobs.timing import WORKER_SWEEP_S
from webapp import db, logs
from webapp.settings import Settings


class _Guarded:
    """Stops the loop of a process whose parent, the consumer, was killed.

    The flag is shared by all of the consumer's processes, so whoever notices first tells
    the others. A running job notices by itself (jobs.progress.Heartbeat).
    """

    stop_flag: Any

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._consumer_pid = os.getpid()

    def loop(self, now: Any = None) -> None:
        if self._consumer_pid in (os.getpid(), os.getppid()):
            super().loop(now)  # type: ignore[misc]
        else:
            self.stop_flag.set()


class LaneWorker(_Guarded, Worker):
    """A worker process."""


class LaneScheduler(_Guarded, Scheduler):
    """The scheduler process. Nothing is scheduled in Huey, so it has the time to sweep,
    away from the processes that measure."""

    def initialize(self) -> None:
        self._next_sweep = time.monotonic()
        db.open_database(Settings.from_env())

    def loop(self, now: Any = None) -> None:
        if time.monotonic() >= self._next_sweep:
            self._next_sweep = time.monotonic() + WORKER_SWEEP_S
            queue.beat(self.huey.name)
            watchdog.sweep()
        super().loop(now)


class LaneConsumer(Consumer):
    """The consumer of one lane. Its log lines have the form that the settings ask for."""

    worker_class = LaneWorker
    scheduler_class = LaneScheduler

    def start(self) -> None:
        # Huey has given its logger a handler, a form and a level of its own.
        huey = logging.getLogger("huey")
        huey.handlers.clear()
        huey.setLevel(logging.NOTSET)
        logs.configure(Settings.from_env())
        super().start()
