"""A quiet process while streams are open: no garbage collection, short thread slices."""

from __future__ import annotations

import gc
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

# A decoding thread gives the interpreter back to the reading loop after this long.
SWITCH_S = 0.0005

_lock = threading.Lock()
_holders: list[object] = []


@contextmanager
def quiet() -> Iterator[None]:
    """Hold garbage collection off; nests, and several threads may hold it at once."""
    with _lock:
        _holders.append(object())
        gc.disable()
    try:
        yield
    finally:
        with _lock:
            _holders.pop()
            if not _holders:
                gc.enable()


@contextmanager
def short_slices() -> Iterator[None]:
    """Let threads take turns every `SWITCH_S` seconds instead of every 5 ms."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(SWITCH_S)
    try:
        yield
    finally:
        sys.setswitchinterval(before)
