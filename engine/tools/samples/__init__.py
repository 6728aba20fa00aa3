"""Suites that ship with the studio, as data."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import yaml

from engine.tools.suites import Suite

_HERE = Path(__file__).parent


@lru_cache(maxsize=1)
def sample_suite() -> Suite:
    """The front desk: every kind of case, on fifteen tools."""
    text = (_HERE / "front_desk.yaml").read_text(encoding="utf-8")
    return Suite.model_validate(yaml.safe_load(text))
