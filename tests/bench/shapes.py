"""Streams that mislead simpler readers, at 64 streams: several tokens in a chunk, an end that
comes late, reasoning before the answer."""

from __future__ import annotations

from collections.abc import Iterator

from tests.bench.endpoints import EXACT, Pace, kinds
from tests.bench.outcome import Check, Outcome, markdown_table
from tests.bench.reading import Cell, Row, read

_STREAMS = 64
_SHAPES = {
    "four tokens a chunk": Pace(gap_ms=40.0, per_event=4),
    "the end 300 ms late": Pace(finish_ms=300.0),
    "50 tokens of reasoning first": Pace(reasoning=50),
}


def run(quick: bool) -> Outcome:
    """Every shape at every endpoint that knows it."""
    rounds, tokens = (1, 80) if quick else (2, 200)
    rows: list[tuple[str, Row]] = []
    for kind in kinds():
        for name, pace in _SHAPES.items():
            if not pace.reasoning or kind == EXACT:
                rows.append((name, read(kind, Cell("studio", _STREAMS, rounds, pace, tokens))))
    heads = ["shape", "endpoint", "TTFT error p99, ms", "first answer token, p99, ms",
             "ITL error, %", "TPOT error, %", "lost or invented"]  # fmt: skip
    return Outcome(
        {name: row.document() for name, row in rows},
        [check for name, row in rows for check in _checks(name, row)],
        f"At {_STREAMS} streams:\n\n" + markdown_table(heads, [_line(*row) for row in rows]),
    )


def _checks(name: str, row: Row) -> Iterator[Check]:
    found, where = row.accuracy, f"{name}, {row.endpoint}"
    yield Check(f"{where}: TTFT error p99", found.ttft_ms_p99, 3.0, " ms")
    yield Check(f"{where}: first answer token, error p99", found.ttfa_ms_p99, 3.0, " ms")
    yield Check(f"{where}: ITL error", abs(found.itl_pct_mean), 0.5, " %")
    yield Check(f"{where}: TPOT error", found.tpot_pct_p50, 0.5, " %")
    yield Check(f"{where}: lost, invented or miscounted",
                found.lost + found.invented + found.miscounted, 0)  # fmt: skip


def _line(name: str, row: Row) -> list[str]:
    found = row.accuracy
    return [
        name,
        row.endpoint,
        f"{found.ttft_ms_p99:.2f}",
        f"{found.ttfa_ms_p99 or 0:.2f}",
        f"{found.itl_pct_mean:+.3f}",
        f"{found.tpot_pct_p50 or 0:.3f}",
        f"{found.lost + found.invented}",
    ]
