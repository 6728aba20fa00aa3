"""What several test modules need."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def eventually(
    probe: Callable[[], T | None], timeout_s: float = 10.0, *, every_s: float = 0.02, what: str = ""
) -> T:
    """The first truthy value of `probe()`; fails the test when there is none in time.

    `timeout_s` and `every_s` are seconds; `what` names what was waited for.
    """
    end = time.monotonic() + timeout_s
    while True:
        value = probe()
        if value:
            return value
        if time.monotonic() >= end:
            raise AssertionError(f"{what or 'the condition'} did not hold within {timeout_s} s")
        time.sleep(every_s)
