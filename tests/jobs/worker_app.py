"""What the tests' consumers import: the real queues, with the test kinds registered."""

from __future__ import annotations

from jobs.handlers import HANDLERS
from jobs.queue import main, quick
from tests.jobs.doubles import KINDS

HANDLERS.update(KINDS)

__all__ = ["main", "quick"]
