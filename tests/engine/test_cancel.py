"""One token for cancel and deadline."""

from __future__ import annotations

import pytest

from engine.cancel import Cancelled, CancelToken


def test_work_goes_on_until_somebody_cancels() -> None:
    token = CancelToken()
    token.check()
    assert token.reason is None
    token.cancel()
    assert token.reason == "cancelled"
    with pytest.raises(Cancelled, match="cancelled"):
        token.check()


def test_a_deadline_that_has_passed_says_so() -> None:
    assert CancelToken(deadline_s=0).reason == "deadline"
    assert CancelToken(deadline_s=60).reason is None


def test_a_cancel_outranks_the_deadline() -> None:
    token = CancelToken(deadline_s=0)
    token.cancel()
    assert token.reason == "cancelled"


def test_a_part_stops_alone_or_with_the_whole() -> None:
    whole = CancelToken()
    part, other = CancelToken(parent=whole), CancelToken(parent=whole)
    part.cancel()
    assert (part.reason, other.reason, whole.reason) == ("cancelled", None, None)
    whole.cancel()
    assert other.reason == "cancelled"
    assert CancelToken(parent=CancelToken(deadline_s=0)).reason == "deadline"
