"""The load part of the benchmark form: how requests arrive, at which levels, and what counts
as good. Names of its fields are those of `LoadSpec`; `mode` says whether they count."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from engine.specs import LoadSpec

SEQUENTIAL, LOAD = "sequential", "load"
MODES = ((SEQUENTIAL, "One request at a time"), (LOAD, "Under load"))
ARRIVALS = (
    ("closed", "Streams held open"),
    ("constant", "Steady rate"),
    ("poisson", "Random rate (Poisson)"),
)
# Fields of one text box each.
TEXTS = (
    "levels",
    "requests",
    "duration_s",
    "ramp_s",
    "slo_ttft_ms",
    "slo_tpot_ms",
    "slo_e2e_ms",
)
NAMES = ("mode", "arrivals", "stop_at_saturation", *TEXTS)
LABELS = {
    "levels": "Levels",
    "requests": "Requests per level",
    "duration_s": "Seconds per level",
    "ramp_s": "Ramp",
    "slo_ttft_ms": "First token within",
    "slo_tpot_ms": "Each token within",
    "slo_e2e_ms": "Whole answer within",
}
# What a new form offers to somebody who chooses load.
FIRST_LEVELS = "1, 2, 4, 8, 16"


def shown(load: LoadSpec | None) -> dict[str, str]:
    """The typed values that would build `load` again; without one a new form's."""
    mode = SEQUENTIAL if load is None else LOAD
    load = load or LoadSpec(levels=(1,))
    values = {name: text(getattr(load, name)) for name in TEXTS}
    levels = ", ".join(text(level) for level in load.levels) if mode == LOAD else FIRST_LEVELS
    stop = "1" if load.stop_at_saturation else ""
    return values | {
        "mode": mode,
        "arrivals": load.arrivals,
        "levels": levels,
        "stop_at_saturation": stop,
    }


def data(values: Mapping[str, str]) -> dict[str, Any] | None:
    """The `load` of the spec as typed, not yet validated; None when it does not count."""
    if values["mode"] != LOAD:
        return None
    typed: dict[str, Any] = {
        name: values[name].strip() for name in ("arrivals", *TEXTS) if values[name].strip()
    }
    typed["levels"] = [part for part in re.split(r"[\s,;]+", values["levels"]) if part]
    return typed | {"stop_at_saturation": bool(values["stop_at_saturation"])}


def text(value: object) -> str:
    """A value as its field shows it: None is empty, whole numbers have no decimals."""
    if value is None:
        return ""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)
