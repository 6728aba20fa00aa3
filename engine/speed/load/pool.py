"""The pool of generator processes, as the process that owns it sees it."""

from __future__ import annotations

import contextlib
import os
import queue
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Self

from engine.cancel import CancelToken
from engine.speed.load.channel import read_message, write_message
from engine.speed.load.work import CANCEL, Message, Ready, Report, Share, Stream

_ROOT = Path(__file__).resolve().parents[3]
# All processes start at the same moment, this long after the last one is ready, in seconds.
_LEAD_S = 0.05
_POLL_S = 0.1


class GeneratorDied(Exception):
    """A generator process ended before its report; the message says how."""


class GeneratorPool:
    """Generator processes that live through all levels of a run.

    They are started by `subprocess`, because a queue's workers may not have
    multiprocessing children, and end with this process: they read its pipe. Use it as a
    context manager.
    """

    def __init__(self, processes: int) -> None:
        self._children: list[subprocess.Popen[bytes]] = []
        self._messages: queue.SimpleQueue[tuple[int, Message | None]] = queue.SimpleQueue()
        self._processes = processes

    def __enter__(self) -> Self:
        self._grow(self._processes)
        return self

    def _grow(self, processes: int) -> None:
        """Start processes until there are so many."""
        for index in range(len(self._children), processes):
            child = subprocess.Popen(
                [sys.executable, "-m", "engine.speed.load.generator"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                cwd=_ROOT,
                env={**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"},
            )
            self._children.append(child)
            threading.Thread(target=self._listen, args=(index, child), daemon=True).start()

    def __exit__(self, *_exc: object) -> None:
        for child in self._children:
            with contextlib.suppress(OSError):
                self._pipe(child).close()
        for child in self._children:
            try:
                child.wait(timeout=2)
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()
            if child.stdout:
                child.stdout.close()

    @property
    def pids(self) -> list[int]:
        """The processes."""
        return [child.pid for child in self._children]

    def run(self, shares: Sequence[Share], cancel: CancelToken) -> Iterator[Stream | Report]:
        """Run one level: its streams as they end, then one report a process.

        Raises GeneratorDied when a process is lost. A cancel ends what is open and is
        answered with the streams so far.
        """
        # How many an open loop needs is known only after its warm-up.
        self._grow(len(shares))
        asked = self._children[: len(shares)]
        for child, share in zip(asked, shares, strict=True):
            self._tell(child, share)
        messages = self._until_cancelled(asked, cancel)
        for _ in asked:
            while not isinstance(next(messages), Ready):
                pass
        start_ns = time.monotonic_ns() + int(_LEAD_S * 1e9)
        for child in asked:
            self._tell(child, start_ns)
        open_reports = len(asked)
        while open_reports:
            message = next(messages)
            if isinstance(message, Report):
                open_reports -= 1
            if isinstance(message, Report | Stream):
                yield message

    def _until_cancelled(
        self, asked: Sequence[subprocess.Popen[bytes]], cancel: CancelToken
    ) -> Iterator[Message]:
        """Messages as they come, without end; tells the processes of a cancel once."""
        told = False
        while True:
            if cancel.reason and not told:
                told = True
                for child in asked:
                    self._tell(child, CANCEL)
            if (message := self._get(_POLL_S)) is not None:
                yield message

    def _get(self, timeout_s: float) -> Message | None:
        try:
            index, message = self._messages.get(timeout=timeout_s)
        except queue.Empty:
            return None
        if message is None:
            raise self._died(self._children[index])
        return message

    def _tell(self, child: subprocess.Popen[bytes], message: Any) -> None:
        try:
            write_message(self._pipe(child), message)
        except BrokenPipeError:
            raise self._died(child) from None

    @staticmethod
    def _died(child: subprocess.Popen[bytes]) -> GeneratorDied:
        return GeneratorDied(f"A load generator process ended with code {child.wait()}.")

    def _listen(self, index: int, child: subprocess.Popen[bytes]) -> None:
        while (message := read_message(child.stdout)) is not None:  # type: ignore[arg-type]
            self._messages.put((index, message))
        self._messages.put((index, None))

    @staticmethod
    def _pipe(child: subprocess.Popen[bytes]) -> Any:
        return child.stdin
