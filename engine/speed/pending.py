"""What a spec can say and the engine cannot do yet: refused in a sentence, never ignored."""

from __future__ import annotations

from engine.specs import BenchmarkSpec

_PENDING = ("prompts", "synthetic", "cache", "fixed_output", "recall", "budget_usd")


def refuse_pending(spec: BenchmarkSpec) -> None:
    """Raise ValueError when `spec` asks for something that is not built yet."""
    fields = BenchmarkSpec.model_fields
    asked = [name for name in _PENDING if getattr(spec, name) != fields[name].default]
    if asked:
        raise ValueError(f"This version cannot do this yet: {', '.join(asked)}.")
