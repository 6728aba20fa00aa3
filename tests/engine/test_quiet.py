"""A quiet process while streams are open."""

from __future__ import annotations

import gc
import sys

from engine.quiet import quiet, short_slices


def test_garbage_collection_waits_until_the_last_stream_is_closed() -> None:
    assert gc.isenabled()
    with quiet():
        with quiet():
            assert not gc.isenabled()
        assert not gc.isenabled()
    assert gc.isenabled()


def test_thread_slices_are_put_back() -> None:
    before = sys.getswitchinterval()
    with short_slices():
        assert sys.getswitchinterval() < before
    assert sys.getswitchinterval() == before
