"""An endpoint of known pace for the load generator's tests, and servers that misbehave."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.bench.endpoints import DEMO, Pace, Served, serving
from tests.engine.llm.conftest import (
    certificate,
    full_house,
    scripted,
    silent,
    tls_server,
    trusted,
)

__all__ = ["certificate", "full_house", "scripted", "silent", "tls_server", "trusted"]


@pytest.fixture(scope="session")
def quick_endpoint() -> Iterator[Served]:
    """The bench model: 10 ms to the first token, 2 ms between tokens."""
    with serving(DEMO, Pace(first_ms=10.0, gap_ms=2.0)) as served:
        yield served
