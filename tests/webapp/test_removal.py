from __future__ import annotations

from webapp.history.views import TICKED
from webapp.models import Run


def test_deletion_is_counted() -> None:
    one, two = Run(name="<b>"), Run(name="x")
    assert TICKED.deleted([one]) == "“<b>” is deleted."
    assert TICKED.restored([one, two]) == "2 benchmarks are back."
