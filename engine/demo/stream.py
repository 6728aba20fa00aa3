"""Sends one answer: each write at its moment, and its true moment into the record."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

from engine.demo.connection import Connection
from engine.demo.pacer import Pacer
from engine.demo.timeline import Write
from engine.demo.truth import Record


class Stream:
    """`over` is called once, with the reason if the answer ended badly: at the moment
    before the closing bytes leave, so that whoever has read the end finds the record.

    An answer whose writes run out without a closing one is cut, or hangs until the client
    leaves if `hangs`.
    """

    def __init__(
        self,
        connection: Connection,
        pacer: Pacer,
        stream: Iterator[Write],
        record: Record,
        over: Callable[[str | None], None],
        *,
        hangs: bool = False,
    ) -> None:
        self._connection, self._pacer, self._record = connection, pacer, record
        self._stream, self._over, self._hangs = stream, over, hangs
        self._write: Write | None = None
        self._ended = False

    def start(self) -> None:
        """Begin; moments count from the record's `start_ns`."""
        self._connection.on_lost = self._lost
        self._wait_for_next()

    def _wait_for_next(self) -> None:
        # The next write is built here, after the present one has left and before its moment.
        self._write = write = next(self._stream, None)
        if write is not None:
            self._pacer.at(self._record.start_ns + write.at_ns, self._send)
        elif not self._hangs:
            self._end("cut")
            self._connection.cut()

    def _send(self) -> None:
        write = self._write
        if self._ended or write is None:
            return
        now = time.monotonic_ns()
        if write.closing:
            self._note(write, now)
            self._end(None)
            self._connection.send(write.data)
            self._connection.finish()
            return
        self._connection.send(write.data)
        self._note(write, now)
        if not self._ended:
            self._wait_for_next()

    def _note(self, write: Write, now: int) -> None:
        record = self._record
        if write.tokens:
            record.sends.append(now)
            record.tokens.append(write.tokens)
            record.reasoning_sends += write.reasoning
            record.late_ns = max(record.late_ns, now - record.start_ns - write.at_ns)

    def _lost(self) -> None:
        if not self._ended:
            self._end("hang" if self._hangs else "client left")

    def _end(self, error: str | None) -> None:
        self._ended = True
        self._over(error)
