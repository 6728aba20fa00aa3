"""The budget of a run: no request is sent once so much was spent."""

from __future__ import annotations

import math

from engine.events import Notice
from engine.samples import Sample

# What a stream says that was open when the budget was spent. What it cost nobody knows.
BUDGET_ENDED = "The budget was spent while this was open, so it was ended; its cost is unknown."


class Budget:
    """Adds up what is known of the cost, warm-ups included. `spent_usd` is what the run had
    spent before it was resumed; a limit of None is never reached.
    `left_out` counts requests that were not sent; None while none was left out. `cut` counts
    those that were open when it was spent and were ended."""

    def __init__(self, limit_usd: float | None, spent_usd: float = 0.0) -> None:
        self._limit, self._costs = limit_usd, [spent_usd]
        self.left_out: int | None = None
        self.cut = 0

    @property
    def spent_usd(self) -> float:
        return math.fsum(self._costs)

    @property
    def reached(self) -> bool:
        return self._limit is not None and self.spent_usd >= self._limit

    def add(self, sample: Sample) -> None:
        if sample.cost_usd is not None:
            self._costs.append(sample.cost_usd)

    def leave_out(self, requests: int) -> None:
        """So many planned requests are not sent because the budget is spent; 0 where a level
        that ends by time was cut, whose number nobody knows."""
        self.left_out = (self.left_out or 0) + requests

    def notice(self) -> Notice:
        """Says both figures, and what was left out."""
        from engine.report import numbers  # numpy would hold up the first request

        left = self.left_out or 0
        rest = {0: "the rest was", 1: "1 request was"}.get(left, f"{left:,} requests were")
        return Notice(
            "budget_reached",
            f"The budget of {numbers.usd(self._limit)} is spent: {numbers.usd(self.spent_usd)} "
            f"so far. So {rest} not sent.{self._cut_short()}",
            dropped=left,
        )

    def _cut_short(self) -> str:
        if not self.cut:
            return ""
        which = "1 that was open was" if self.cut == 1 else f"{self.cut:,} that were open were"
        return f" {which} ended and may be billed in addition."
