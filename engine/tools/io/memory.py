"""Reading much at once: what is made is kept, and the collector of garbage need not look."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def without_collection() -> Iterator[None]:
    """What is read holds no cycles: looking for garbage in hundreds of thousands of values, again
    and again while they are made, takes longer than making them."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()
