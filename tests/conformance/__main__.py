"""`python -m tests.conformance`: what a naive reader says of each trap, beside the truth
and what the engine says. Exit 1 unless all twelve are right."""

from __future__ import annotations

import sys
from dataclasses import replace

from rich.console import Console
from rich.table import Table

from tests.conformance.figures import Figures, differences, naive, ours, truth_of
from tests.conformance.play import SENT_NS, captured, measured
from tests.conformance.traps import Trap, traps

# What is waited for before a refused request is asked again.
RETRY_NS = 150_000_000
_SHOWN = ("ttft_ms", "ttfa_ms", "e2e_ms", "tpot_ms", "tokens")


def verdicts() -> list[tuple[Trap, Figures, Figures, Figures, list[str]]]:
    """Each trap with the truth, the naive reader's figures, ours, and where ours is wrong."""
    found = []
    for trap in traps():
        capture = captured(trap)
        sample, arguments = measured(capture)
        truth, said = truth_of(trap, SENT_NS, capture.times), ours(sample, arguments)
        wrong = differences(truth, said, within_ms=0.001)
        if sample.bundled != trap.bundled:
            wrong.append("bundled")
        if trap.outcome == "ok" and (sample.tokens.source == "estimate") != trap.estimated:
            wrong.append("source")
        began = SENT_NS - (RETRY_NS if trap.refused else 0)
        found.append((trap, truth, naive(replace(capture, sent_ns=began)), said, wrong))
    return found


def table() -> tuple[Table, int]:
    """The printed table, and how many of the twelve traps are right."""
    rows = verdicts()
    columns = Table("trap", *(f"{name.removesuffix('_ms')}" for name in _SHOWN), "text", "ours")
    columns.title = "Truth / naive reader / ours (times in ms)"
    failed = set()
    for trap, truth, guess, said, wrong in rows:
        if wrong:
            failed.add(trap.name)
        cells = [
            " / ".join(_number(getattr(f, name)) for f in (truth, guess, said)) for name in _SHOWN
        ]
        text = "✓" if guess.text == truth.text else "naive ✗"
        columns.add_row(trap.name, *cells, text, "✗ " + ", ".join(wrong) if wrong else "✓")
    names = {trap.name for trap, *_ in rows}
    return columns, len(names - failed)


def documented() -> list[str]:
    """The lines of the table in docs/measurement.md: truth / naive reader / ours."""
    lines = []
    for trap, *figures, _ in verdicts():
        cells = [
            " / ".join(_number(getattr(f, name)) for f in figures)
            for name in ("ttft_ms", "ttfa_ms", "tpot_ms", "tokens")
        ]
        lines.append(f"| {trap.name}: {trap.why} | {' | '.join(cells)} |")
    return lines


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.4g}" if value < 100 else f"{value:.0f}"


def main() -> int:
    columns, right = table()
    Console(width=150).print(columns)
    Console().print(f"{right} of 12 traps read right.")
    return 0 if right == 12 else 1


if __name__ == "__main__":
    sys.exit(main())
