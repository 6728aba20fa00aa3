"""Accuracy and cost by load: the product's load generator, a plain aiohttp reader and a loop
over LiteLLM at the same levels, in one run."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from tests.bench.endpoints import EXACT, Pace, kinds
from tests.bench.outcome import Check, Outcome, markdown_table
from tests.bench.reading import Cell, Row, read

_FAST, _SLOW = Pace(gap_ms=10.0), Pace(gap_ms=50.0)


@dataclass(frozen=True, slots=True)
class Level:
    """Streams at a pace; requests on each stream for the three readers, 0 where a reader would
    take minutes; and what must hold: TTFT error p50 and p99 in ms, ITL error in per cent."""

    pace: Pace
    rounds: int
    aiohttp: int
    litellm: int
    limits: tuple[float, float, float]


_LEVELS = {
    1: Level(_FAST, 8, 2, 3, (0.5, 1.5, 0.3)),
    16: Level(_FAST, 4, 2, 1, (0.5, 3.0, 0.5)),
    64: Level(_FAST, 4, 2, 1, (0.5, 3.0, 0.5)),
    128: Level(_FAST, 4, 4, 1, (1.5, 5.0, 0.5)),
    256: Level(_FAST, 4, 4, 0, (1.5, 8.0, 1.0)),
    1024: Level(_SLOW, 2, 2, 0, (5.0, 30.0, 2.0)),
}
# A reader: its name, from which level on its CPU is compared, and the share that may be used.
_PEERS = {"aiohttp": (128, 0.7), "litellm": (64, 1 / 15)}
_NAMES = {"studio": "this studio", "aiohttp": "plain aiohttp reader", "litellm": "LiteLLM loop"}
_QUICK = (1, 64)
_TOKENS, _QUICK_TOKENS = 200, 60


def run(quick: bool) -> Outcome:
    """Every level against every endpoint; the other readers against the first one."""
    rows = list(_rows(quick))
    return Outcome({"rows": [row.document() for row in rows]}, list(_checks(rows)), _report(rows))


def _rows(quick: bool) -> Iterator[Row]:
    tokens = _QUICK_TOKENS if quick else _TOKENS
    for kind in kinds()[:1] if quick else kinds():
        for streams in _QUICK if quick else _LEVELS:
            level = _LEVELS[streams]
            rounds = {"studio": level.rounds}
            if kind == kinds()[0]:
                rounds |= {"aiohttp": level.aiohttp, "litellm": level.litellm}
            for reader, times in rounds.items():
                if times:
                    many = min(times, 2) if quick else times
                    yield _told(read(kind, Cell(reader, streams, many, level.pace, tokens)))


def _told(row: Row) -> Row:
    found, cell = row.accuracy, row.cell
    print(
        f"  {cell.streams:>5} streams  {row.endpoint:<12} {cell.reader:<8} {row.wall_s:5.1f} s  "
        f"TTFT {found.ttft_ms_p50:+.3f}/{found.ttft_ms_p99:.3f} ms  "
        f"ITL {found.itl_pct_mean:+.4f} %  {row.cpu_us:.1f} µs/chunk",
        flush=True,
    )
    return row


def _checks(rows: Sequence[Row]) -> Iterator[Check]:
    for row in rows:
        if row.cell.reader != "studio":
            continue
        streams, found = row.cell.streams, row.accuracy
        where = f"{streams} streams, {row.endpoint}"
        p50, p99, itl = _LEVELS[streams].limits
        busy = "said to be saturated" if row.saturated and streams > 256 else ""
        yield Check(f"{where}: TTFT error p50", abs(found.ttft_ms_p50), p50, " ms", excused=busy)
        yield Check(f"{where}: TTFT error p99", found.ttft_ms_p99, p99, " ms", excused=busy)
        yield Check(f"{where}: ITL mean error", abs(found.itl_pct_mean), itl, " %", excused=busy)
        yield Check(f"{where}: lost or invented", found.lost + found.invented, 0)
        yield Check(f"{where}: wrong totals", found.miscounted, 0)
        if streams == 256:
            yield Check(f"{where}: load delivered", found.delivered, 0.97, at_least=True)
            yield Check(f"{where}: chunks a second", found.chunks_per_s, 20_000, at_least=True)
        for name, (least, share) in _PEERS.items():
            ratio = _ratio(row, name, rows)
            if ratio is not None and least <= streams <= 256:
                what = f"{where}: CPU a chunk ÷ {_NAMES[name]}"
                yield Check(what, ratio, share)


def _ratio(row: Row, name: str, rows: Sequence[Row]) -> float | None:
    """CPU over that of another reader at the same level, or the highest it was run at."""
    peers = [r for r in rows if r.cell.reader == name and r.cell.streams <= row.cell.streams]
    if not peers or row.cell.reader != "studio":
        return None
    return row.cpu_us / max(peers, key=lambda peer: peer.cell.streams).cpu_us


def _report(rows: Sequence[Row]) -> str:
    heads = [
        "streams", "reader", "TTFT error p50 / p99, ms", "ITL error p50 / mean, %",
        "CPU a chunk, µs", "sending and reading alone", "CPU ÷ aiohttp", "÷ LiteLLM loop",
        "lost", "load ÷ ideal",
    ]  # fmt: skip
    parts = []
    for kind in dict.fromkeys(row.endpoint for row in rows):
        mine = [row for row in rows if row.endpoint == kind]
        late = max(mine, key=lambda row: row.accuracy.late_ms_p99)
        parts.append(
            f"Against the {kind} endpoint, whose own lateness in a stream has a p99 of at most "
            f"{late.accuracy.late_ms_p99:.1f} ms ({late.cell.streams:,} streams):\n\n"
            + markdown_table(heads, [_line(row, rows) for row in mine])
        )
    if EXACT not in kinds():
        parts.append("There is no C compiler, so the independent endpoint was left out.")
    return "\n\n".join(parts)


def _line(row: Row, rows: Sequence[Row]) -> list[str]:
    found = row.accuracy
    mark = " (saturated)" if row.saturated else ""
    return [
        f"{row.cell.streams:,} × {row.cell.pace.gap_ms:g} ms",
        _NAMES[row.cell.reader] + mark,
        f"{found.ttft_ms_p50:+.2f} / {found.ttft_ms_p99:.2f}",
        f"{found.itl_pct_p50:+.3f} / {found.itl_pct_mean:+.3f}",
        f"{row.cpu_us:.1f}",
        _or_dash(row.read_only_us, ".1f"),
        _or_dash(_ratio(row, "aiohttp", rows), ".2f"),
        _or_dash(_ratio(row, "litellm", rows), ".3f"),
        f"{found.lost + found.invented}",
        _or_dash(found.delivered, ".1%"),
    ]


def _or_dash(value: float | None, form: str) -> str:
    return "–" if value is None else format(value, form)
