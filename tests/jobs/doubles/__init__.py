"""Handlers for tests: one module a kind, as in jobs.handlers."""

from __future__ import annotations

KINDS = {
    kind: f"tests.jobs.doubles.{kind}"
    for kind in ("wait", "break_down", "refuse", "stubborn", "odd")
}
