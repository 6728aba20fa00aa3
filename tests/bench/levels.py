"""Accuracy and cost by load: the product's load generator, a plain aiohttp reader and a loop
over LiteLLM at the same levels, in one run."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from tests.bench.endpoints import Pace, kinds
from tests.bench.outcome import Check, Outcome, markdown_table
from tests.bench.reading import Cell, Row, read

_FAST, _SLOW = Pace(gap_ms=10.0), Pace(gap_ms=50.0)
# Streams: pace, rounds, and what must hold: TTFT p50 and p99 in ms, ITL mean in %.
_LEVELS = {
    1: (_FAST, 8, (0.5, 1.5, 0.3)),
    16: (_FAST, 4, (0.5, 3.0, 0.5)),
    64: (_FAST, 4, (0.5, 3.0, 0.5)),
    128: (_FAST, 4, (1.5, 5.0, 0.5)),
    256: (_FAST, 4, (1.5, 8.0, 1.0)),
    1024: (_SLOW, 2, (5.0, 30.0, 2.0)),
}
# The loop over LiteLLM is slow: higher levels would take minutes and say no more.
_LITELLM_ROUNDS = {1: 3, 16: 1, 64: 1, 128: 1}
_QUICK = (1, 64)
_NAMES = {"studio": "this studio", "aiohttp": "plain aiohttp reader", "litellm": "LiteLLM loop"}


def run(quick: bool, levels: Sequence[int] = ()) -> Outcome:
    """Every level against every endpoint; the other readers against the first one."""
    chosen = levels or (_QUICK if quick else tuple(_LEVELS))
    rows = list(_rows(chosen, quick))
    outcome = Outcome({"rows": [row.document() for row in rows]}, list(_checks(rows)))
    outcome.markdown = _table(rows)
    return outcome


def _rows(levels: Sequence[int], quick: bool) -> Iterator[Row]:
    for kind in kinds()[:1] if quick else kinds():
        for streams in levels:
            pace, rounds, _ = _LEVELS[streams]
            tokens = 60 if quick else 200
            yield _told(kind, Cell("studio", streams, 2 if quick else rounds, pace, tokens))
            if kind != kinds()[0]:
                continue
            others = 1 if streams < 2 * 64 else 2
            yield _told(kind, Cell("aiohttp", streams, min(rounds, 2 * others), pace, tokens))
            if streams in _LITELLM_ROUNDS:
                rounds = 1 if quick else _LITELLM_ROUNDS[streams]
                yield _told(kind, Cell("litellm", streams, rounds, pace, tokens))


def _told(kind: str, cell: Cell) -> Row:
    row = read(kind, cell)
    found = row.accuracy
    print(
        f"  {cell.streams:>5} streams  {kind:<12} {cell.reader:<8} {row.wall_s:5.1f} s  "
        f"TTFT {found.ttft_ms_p50:+.3f}/{found.ttft_ms_p99:.3f} ms  "
        f"ITL {found.itl_pct_mean:+.4f} %  {row.cpu_us:.1f} µs/chunk",
        flush=True,
    )
    return row


def _checks(rows: Sequence[Row]) -> Iterator[Check]:
    peers = {(row.cell.reader, row.cell.streams): row for row in rows}
    for row in rows:
        if row.cell.reader != "studio":
            continue
        streams, found = row.cell.streams, row.accuracy
        where = f"{streams} streams, {row.endpoint}"
        p50, p99, itl = _LEVELS[streams][2]
        busy = "said to be saturated" if row.saturated and streams > 256 else ""
        yield Check(f"{where}: TTFT error p50", abs(found.ttft_ms_p50), p50, " ms", excused=busy)
        yield Check(f"{where}: TTFT error p99", found.ttft_ms_p99, p99, " ms", excused=busy)
        yield Check(f"{where}: ITL mean error", abs(found.itl_pct_mean), itl, " %", excused=busy)
        yield Check(f"{where}: lost or invented", found.lost + found.invented, 0)
        yield Check(f"{where}: wrong totals", found.miscounted, 0)
        if streams == 256:
            yield Check(f"{where}: load delivered", found.delivered, 0.97, at_least=True)
            yield Check(f"{where}: chunks a second", found.chunks_per_s, 20_000, at_least=True)
        for name, least, share in (("litellm", 64, 1 / 15), ("aiohttp", 128, 0.7)):
            peer = peers.get((name, streams)) or (
                peers.get((name, 128)) if streams == 256 else None
            )
            if peer is not None and least <= streams <= 256:
                ratio = row.cpu_us / peer.cpu_us
                yield Check(f"{where}: CPU a chunk ÷ {_NAMES[name]}", ratio, round(share, 4))


def _table(rows: Sequence[Row]) -> str:
    heads = [
        "streams", "reader", "TTFT error p50 / p99, ms", "ITL error p50 / mean, %",
        "CPU a chunk, µs", "sending and reading, µs", "lost", "load ÷ ideal",
    ]  # fmt: skip
    parts = []
    for kind in dict.fromkeys(row.endpoint for row in rows):
        lines = [_line(row) for row in rows if row.endpoint == kind]
        late = max(row.accuracy.late_ms_p99 for row in rows if row.endpoint == kind)
        parts.append(
            f"Against the {kind} endpoint (p99 of its own lateness in a stream, at the worst "
            f"level: {late:.1f} ms):\n\n{markdown_table(heads, lines)}"
        )
    return "\n\n".join(parts)


def _line(row: Row) -> list[str]:
    found = row.accuracy
    mark = " (saturated)" if row.saturated else ""
    pace = "" if row.cell.pace.gap_ms == 10 else f" × {row.cell.pace.gap_ms:g} ms"
    return [
        f"{row.cell.streams:,}{pace}",
        _NAMES[row.cell.reader] + mark,
        f"{found.ttft_ms_p50:+.2f} / {found.ttft_ms_p99:.2f}",
        f"{found.itl_pct_p50:+.3f} / {found.itl_pct_mean:+.3f}",
        f"{row.cpu_us:.1f}",
        "–" if row.read_only_us is None else f"{row.read_only_us:.1f}",
        f"{found.lost + found.invented}",
        "–" if found.delivered is None else f"{found.delivered:.1%}",
    ]
