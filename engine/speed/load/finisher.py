"""What happens to a stream once it has ended: decoding, measuring, telling; in small steps,
because other streams are open meanwhile."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Generator, Sequence
from dataclasses import replace

from engine.llm.ask import Asked
from engine.llm.decode import decode_in_steps
from engine.llm.errors import ProviderError
from engine.llm.exchange import Capture
from engine.samples import Arrival, SampleKey, pack_arrivals
from engine.speed.load.work import Message, Share, Stream
from engine.speed.metrics import measure

_NO_KEY = SampleKey("", "", 0, 0, False)


class Finisher:
    """Takes what ended and emits its `Stream`. `cpu_ns` is what that took so far; of `events`
    so many were `merged` (`work.Report`)."""

    def __init__(self, share: Share, emit: Callable[[Message], None]) -> None:
        self._share, self._emit = share, emit
        self._ended: deque[tuple[int, int, Capture | ProviderError]] = deque()
        self._steps: Generator[None, None, None] | None = None
        self.cpu_ns = 0
        self.events = self.merged = 0

    @property
    def pending(self) -> bool:
        """Whether there is anything to do."""
        return self._steps is not None or bool(self._ended)

    def add(self, number: int, planned_ns: int, ended: Capture | ProviderError) -> None:
        """Take a stream: its capture, or the error that says why there was no connection."""
        self._ended.append((number, planned_ns, ended))

    def step(self) -> None:
        """Do a few tenths of a millisecond of work, if there is any."""
        if not self.pending:
            return
        before = time.thread_time_ns()
        if self._steps is None:
            self._steps = self._finish(*self._ended.popleft())
        if next(self._steps, self) is self:
            self._steps = None
        self.cpu_ns += time.thread_time_ns() - before

    def _finish(
        self, number: int, planned_ns: int, ended: Capture | ProviderError
    ) -> Generator[None, None, None]:
        asked = Asked()
        if isinstance(ended, ProviderError):
            asked.error = ended
            closed_ns = time.monotonic_ns()
        else:
            asked.capture, closed_ns = ended, ended.ended_ns
            asked.cancelled = ended.ended == "cancelled"
            try:
                asked.decoded = yield from decode_in_steps(
                    ended, self._share.model, self._share.secrets
                )
                asked.error = asked.decoded.error
            except ProviderError as error:
                asked.error = error
        sample = measure(_NO_KEY, asked, None, "")
        if isinstance(ended, Capture):
            self._count(ended, sample.arrivals)
        blob = pack_arrivals(sample.arrivals)
        short = replace(sample, arrivals=(), text=sample.text[: self._share.text_chars])
        self._emit(Stream(number, planned_ns, closed_ns, short, blob))

    def _count(self, capture: Capture, arrivals: Sequence[Arrival]) -> None:
        """Events that came in one read, though it was late by more than their usual gap."""
        count = len(arrivals)
        self.events += count
        if count > 2 and capture.lag_ns * (count - 1) > arrivals[-1].at_ns - arrivals[0].at_ns:
            self.merged += count - len({arrival.at_ns for arrival in arrivals})
