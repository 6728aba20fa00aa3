"""What the tests' consumers import: the real queues, with the test kinds registered."""

from __future__ import annotations

from jobs import runner
from jobs.handlers import HANDLERS
from jobs.queue import main, quick
from tests.jobs.doubles import KINDS

HANDLERS.update(KINDS)
# The job rules need no LiteLLM; the kinds that do import it at their first job.
runner.load_libraries = lambda: None

__all__ = ["main", "quick"]
