"""Where and how a run was measured, as terms and sentences."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from engine.report import numbers
from engine.stats import Summary
from webapp.benchmark.figures import Figures
from webapp.benchmark.words import plural
from webapp.models import Run

CLOCKS = {
    "kernel": "the kernel's receive time of each read (SO_TIMESTAMPNS)",
    "read": "the moment of each read in our own process",
    "library": "a library's own clock, not the wire",
    "mixed": "different clocks for different requests",
}


def environment(run: Run, known: Figures) -> list[tuple[str, str]]:
    """(term, text) in the order of the page; empty before anything was measured."""
    found: dict[str, Any] = run.environment
    if not found:
        return []
    return [*_machine(found), *_clock(known), *_opening(known), ("Beside it", _beside(found))]


def _machine(found: dict[str, Any]) -> Iterator[tuple[str, str]]:
    cpus = found.get("cpus")
    cores = plural(cpus, "core") if cpus else ""
    machine = [found.get("cpu"), cores, found.get("machine")]
    yield "Client machine", ", ".join(str(part) for part in machine if part)
    if system := found.get("system"):
        yield "System", str(system)
    versions = {"Python": found.get("python"), **(found.get("versions") or {})}
    yield "Versions", ", ".join(f"{name} {v}" for name, v in versions.items() if v) or numbers.NONE
    if resumed := found.get("resumed"):
        yield "Resumed", f"{plural(len(resumed), 'time')}; the machine is that of the first start"


def _clock(known: Figures) -> Iterator[tuple[str, str]]:
    clocks = {result.clock for result in known.results if result.clock}
    if clocks:
        yield "Clock", CLOCKS[clocks.pop() if len(clocks) == 1 else "mixed"]


def _opening(known: Figures) -> Iterator[tuple[str, str]]:
    """What it took to open a connection, by target; it is in none of the other figures."""
    said: dict[str, str] = {}
    for item in known.digests:
        connect, tls = item.opening["connect_ms"], item.opening["tls_ms"]
        if connect.n and item.result.label not in said:
            said[item.result.label] = f"{_took('', connect)}{_took(', TLS ', tls)}"
    if said:
        several = len(said) > 1
        named = (f"{label}: {text}" if several else text for label, text in said.items())
        yield "Opening a connection", "; ".join(named)


def _took(before: str, summary: Summary) -> str:
    if not summary.n:
        return ""
    many = f" (median of {numbers.count(summary.n)})" if summary.n > 1 else ""
    return f"{before}{numbers.ms(summary.p50)}{numbers.NARROW}ms{many}"


def _beside(found: dict[str, Any]) -> str:
    others = int(found.get("other_jobs", 0))
    said = f"{plural(others, 'other job')} measured on this machine: shared" if others else (
        "no other job measured on this machine")  # fmt: skip
    load = found.get("load_1m")
    return said if load is None else f"{said}; load average {numbers.fixed(load, 2)} at the start"
